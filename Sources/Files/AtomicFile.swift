package import Foundation

/// Writes files so that no reader ever sees a half-written one.
package enum AtomicFile {
  /// Writes a file under a new name and then moves it to `url`; a link that is there is replaced, not followed.
  ///
  /// - Throws: `FileError.unwritable`; nothing is left behind.
  package static func write(_ data: Data, to url: URL) throws {
    try write(to: url) { try $0.write(contentsOf: data) }
  }

  /// The same, piece by piece.
  ///
  /// - Parameters:
  ///   - url: Where the file should be.
  ///   - fill: Writes into the file it is given.
  /// - Throws: `FileError.unwritable`, or what `fill` throws if that is an error of Assay's; nothing is left behind.
  package static func write(to url: URL, _ fill: (FileHandle) throws -> Void) throws {
    do {
      let (temporary, handle) = try Temporary.file(beside: url)
      do {
        try fill(handle)
        try handle.synchronize()
        guard unsafe rename(temporary.path, url.path) == 0 else { throw Temporary.failure() }
      } catch {
        _ = unsafe unlink(temporary.path)
        throw error
      }
    } catch {
      throw FileError.unwritable(url, error)
    }
  }

  /// Checks, before work is spent on it, that something may be written at `url`.
  ///
  /// - Throws: `FileError.unwritable`.
  package static func checkPlace(_ url: URL) throws {
    do {
      guard url.lastPathComponent.utf8.count <= Int(NAME_MAX) else {
        throw POSIXError(.ENAMETOOLONG)
      }
      let (temporary, _) = try Temporary.file(beside: url)
      guard unsafe unlink(temporary.path) == 0 else { throw Temporary.failure() }
    } catch {
      throw FileError.unwritable(url, error)
    }
  }

  /// Checks, before work is spent on it, that a report may be written at `url`.
  ///
  /// - Parameters:
  ///   - url: Where it should be.
  ///   - start: What an earlier report of the same kind starts with; such a one is replaced later.
  /// - Throws: `FileError.unwritable` if something else is there, or the place cannot be written.
  package static func check(_ url: URL, replacing start: String) throws {
    var status = stat()
    // A pipe would be waited for, and of a folder nothing is read: what is no file is no report.
    if unsafe stat(url.path, &status) == 0, status.st_mode & S_IFMT != S_IFREG {
      throw FileError.unwritable(
        url.path, reason: "something that is no file is there; name another place")
    }
    if let handle = try? FileHandle(forReadingFrom: url) {
      let found = (try? handle.read(upToCount: start.utf8.count)) ?? Data()
      guard found.isEmpty || found.elementsEqual(start.utf8) else {
        throw FileError.unwritable(
          url.path,
          reason: "a file that Assay did not write is there; move it, or name another place")
      }
    }
    try checkPlace(url)
  }
}
