package import Foundation

/// A name in a folder that no other run uses as long as this one holds it.
///
/// Two runs at once each write a report of their own: the second one's is called `smoke-2`.
package final class ClaimedName: Sendable {
  /// The name.
  package let name: String
  private let lock: FileHandle
  private let file: URL

  /// Claims the first free name of `stem`, `stem-2`, `stem-3`, and so on.
  ///
  /// - Throws: `FileError.unwritable`.
  package init(_ stem: String, in folder: URL) throws {
    do {
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
      var (name, number) = (stem, 1)
      while true {
        let file = folder.appending(path: ".\(name).lock")
        if let lock = try Self.lock(file) {
          (self.name, self.lock, self.file) = (name, lock, file)
          return
        }
        number += 1
        name = "\(stem)-\(number)"
      }
    } catch {
      throw FileError.unwritable(folder, error)
    }
  }

  deinit { _ = unsafe unlink(file.path) }

  /// The lock of a file, if nobody has it.
  private static func lock(_ file: URL) throws -> FileHandle? {
    while true {
      let descriptor = unsafe open(file.path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0o666)
      guard descriptor >= 0 else { throw Temporary.failure() }
      let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
      guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else { return nil }
      // Whoever had it may have removed it before it was locked here.
      if isSame(descriptor, file) { return handle }
    }
  }

  private static func isSame(_ descriptor: Int32, _ file: URL) -> Bool {
    var held = stat(), named = stat()
    return unsafe fstat(descriptor, &held) == 0 && lstat(file.path, &named) == 0
      && held.st_ino == named.st_ino
  }
}
