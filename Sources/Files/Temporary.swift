internal import Foundation
internal import JSON

/// Names under which files and folders come into being, and what is left there by processes that died.
///
/// Each is new and is locked as long as its process works on it, so that any process can tell what was left:
/// in another container a process number says nothing, a lock does.
enum Temporary {
  private static let prefix = ".assay-partial-"

  /// A name beside a file that nothing has; it is short, however long the file's own is.
  private static func name(in folder: URL) -> URL {
    folder.appending(path: prefix + UUID().uuidString)
  }

  /// Makes a folder beside `url`, and its parents.
  ///
  /// - Returns: The folder and its lock, which holds until it is closed.
  /// - Throws: `POSIXError` or `CocoaError`.
  static func folder(beside url: URL) throws -> (folder: URL, lock: FileHandle) {
    try new(beside: url) { folder in
      guard unsafe mkdir(folder.path, 0o777) == 0 else { return -1 }
      return unsafe open(folder.path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
    }
  }

  /// Makes an empty file beside `url`, and the folders above it; a link of its name is not followed.
  ///
  /// - Throws: `POSIXError` or `CocoaError`.
  static func file(beside url: URL) throws -> (file: URL, handle: FileHandle) {
    try new(beside: url) { file in
      unsafe open(file.path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o666)
    }
  }

  private static func new(beside url: URL, _ open: (URL) -> Int32) throws -> (URL, FileHandle) {
    let parent = url.deletingLastPathComponent()
    try FileManager.default.createDirectory(at: parent, withIntermediateDirectories: true)
    removeLeftovers(in: parent)
    while true {
      let item = name(in: parent), descriptor = open(item)
      guard descriptor >= 0 else { throw failure() }
      let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
      flock(descriptor, LOCK_EX)
      // Before it was locked, somebody who cleans up may have taken it for a leftover.
      if RegularFile.isThere(item) { return (item, handle) }
    }
  }

  /// Removes what processes that died left in a folder; what is still worked on is locked.
  private static func removeLeftovers(in folder: URL) {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    for name in names where isOurs(name) {
      let item = folder.appending(path: name)
      guard [S_IFREG, S_IFDIR].contains(RegularFile.kind(item)) else { continue }
      let descriptor = unsafe open(item.path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC)
      guard descriptor >= 0 else { continue }
      if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { try? FileManager.default.removeItem(at: item) }
      close(descriptor)
    }
  }

  private static func isOurs(_ name: String) -> Bool {
    name.hasPrefix(prefix) && UUID(uuidString: String(name.dropFirst(prefix.count))) != nil
  }

  static func failure() -> POSIXError { POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
}
