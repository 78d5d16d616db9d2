package import Foundation

/// Writes folders so that no reader ever sees a half-written one, and an old one is there until the new one is.
package enum AtomicFolder {
  /// Fills a temporary folder beside `url` and then puts it there.
  ///
  /// - Parameters:
  ///   - url: Where the folder should be; what is there already is replaced.
  ///   - fill: Writes the files into the folder it is given.
  /// - Throws: `FileError.unwritable`, or what `fill` throws; nothing is left behind.
  package static func write(to url: URL, _ fill: (URL) throws -> Void) throws {
    let files = FileManager.default
    do {
      let (temporary, lock) = try Temporary.folder(beside: url)
      // Whatever happened, what stands under the temporary name is not wanted any more.
      defer { try? files.removeItem(at: temporary) }
      defer { try? lock.close() }
      try fill(temporary)
      try Renaming.put(temporary, at: url)
    } catch {
      throw FileError.unwritable(url, error)
    }
  }

  /// The same for a folder that somebody asked for: what Assay did not write there is not replaced.
  ///
  /// - Throws: Also `FileError.unwritable` if something else is there.
  package static func writeOwn(
    to url: URL, as kind: OwnFolder.Kind = .model, _ fill: (URL) throws -> Void
  ) throws {
    try write(to: url) { temporary in
      try fill(temporary)
      try OwnFolder.mark(temporary, as: kind)
      // It took a while: somebody may have put something there.
      try check(url, replacing: kind)
    }
  }

  /// Checks, before work is spent on it, that `writeOwn` may write a folder of some kind at `url`.
  ///
  /// - Throws: `FileError.unwritable` if something is there that Assay did not write, or that is of another kind, or the place cannot be
  ///   written.
  package static func check(_ url: URL, replacing kind: OwnFolder.Kind = .model) throws {
    if let reason = OwnFolder.fault(url, replacing: kind) {
      throw FileError.unwritable(url.path, reason: reason)
    }
    try AtomicFile.checkPlace(url)
  }
}
