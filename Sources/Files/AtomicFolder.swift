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

  /// Checks, before work is spent on it, that a folder may be written at `url`.
  ///
  /// - Parameters:
  ///   - url: Where the folder should be.
  ///   - names: What an earlier folder of the same kind may hold; such a one is replaced later.
  /// - Throws: `FileError.unwritable` if something else is there, or the place cannot be written.
  package static func check(_ url: URL, replacing names: Set<String>) throws {
    let files = FileManager.default
    if (try? files.attributesOfItem(atPath: url.path)) != nil {
      let isLink = (try? files.destinationOfSymbolicLink(atPath: url.path)) != nil
      let content = try? files.contentsOfDirectory(atPath: url.path)
      guard !isLink, let content, names.isSuperset(of: content) else {
        throw FileError.unwritable(
          url.path, reason: "something else is there already; name a new folder")
      }
    }
    try AtomicFile.checkPlace(url)
  }
}
