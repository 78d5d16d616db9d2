package import Foundation

/// A folder for a while, locked as long as it is in use: what a process that died left is removed by the next one that makes
/// one there.
package struct ScratchFolder: Sendable {
  package let url: URL
  private let lock: FileHandle

  /// Makes one that nobody else reads.
  ///
  /// - Parameter parent: The folder that it is in, made if it is not there.
  /// - Throws: `FileError.unwritable`.
  package init(in parent: URL) throws {
    do {
      (url, lock) = try Temporary.folder(beside: parent.appending(path: "scratch"))
      try FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: url.path)
    } catch {
      throw FileError.unwritable(parent.path, reason: "\(error)")
    }
  }

  /// Removes it, with all that is in it.
  package func remove() {
    try? FileManager.default.removeItem(at: url)
    try? lock.close()
  }
}
