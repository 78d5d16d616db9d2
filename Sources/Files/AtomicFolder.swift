package import Foundation

/// Writes folders and files so that no reader ever sees a half-written one.
package enum AtomicFolder {
  /// Fills a temporary folder beside `url` and then moves it there.
  ///
  /// - Parameters:
  ///   - url: Where the folder should be; what is there already is replaced.
  ///   - fill: Writes the files into the folder it is given.
  /// - Throws: `FileError.unwritable`, or what `fill` throws; nothing is left behind.
  package static func write(to url: URL, _ fill: (URL) throws -> Void) throws {
    let files = FileManager.default
    let parent = url.deletingLastPathComponent()
    // A name of its own each time: what a process that died left behind never joins a new folder.
    let temporary = parent.appending(path: ".\(url.lastPathComponent).partial-\(UUID().uuidString)")
    do {
      try files.createDirectory(at: temporary, withIntermediateDirectories: true)
    } catch {
      throw FileError.unwritable(url.path, reason: reason(error))
    }
    do {
      try fill(temporary)
      try move(temporary, to: url)
    } catch {
      try? files.removeItem(at: temporary)
      guard isOfTheSystem(error) else { throw error }
      throw FileError.unwritable(url.path, reason: reason(error))
    }
  }

  /// Times that two writers may get in each other's way before one gives up.
  private static let attempts = 5

  /// Moves a folder to its place; what is there is moved aside first and removed last.
  ///
  /// Another process may do the same at once: whoever comes last is replaced by nobody.
  private static func move(_ temporary: URL, to url: URL) throws {
    let files = FileManager.default
    for attempt in 1... {
      let aside = temporary.appendingPathExtension("replaced")
      let isThere = files.fileExists(atPath: url.path)
      if isThere { try? files.moveItem(at: url, to: aside) }
      defer { try? files.removeItem(at: aside) }
      do {
        return try files.moveItem(at: temporary, to: url)
      } catch {
        guard attempt < attempts, files.fileExists(atPath: url.path) else { throw error }
      }
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
    if files.fileExists(atPath: url.path) {
      let content = try? files.contentsOfDirectory(atPath: url.path)
      guard let content, names.isSuperset(of: content) else {
        throw FileError.unwritable(
          url.path, reason: "something else is there already; name a new folder")
      }
    }
    let probe = url.deletingLastPathComponent().appending(path: ".assay-probe-\(getpid())")
    try write(to: probe) { _ in }
    try? files.removeItem(at: probe)
  }

  /// Writes one file under a temporary name and then moves it to `url`.
  ///
  /// - Throws: `FileError.unwritable`.
  package static func write(_ data: Data, to url: URL) throws {
    do {
      try FileManager.default.createDirectory(
        at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
      try data.write(to: url, options: .atomic)
    } catch {
      throw FileError.unwritable(url.path, reason: reason(error))
    }
  }

  /// Whether an error says that a file could not be written; what `fill` throws of its own is passed on.
  private static func isOfTheSystem(_ error: any Error) -> Bool {
    error is CocoaError || error is POSIXError
  }

  private static func reason(_ error: any Error) -> String {
    let code = (error as NSError).userInfo[NSUnderlyingErrorKey] as? NSError
    let number = code?.code ?? (error as NSError).code
    switch number {
    case CocoaError.fileWriteVolumeReadOnly.rawValue: return "the file system is read-only"
    case CocoaError.fileWriteUnknown.rawValue, CocoaError.fileWriteFileExists.rawValue:
      return "a part of the path is a file, or the place takes no files"
    case Int(EACCES), Int(EPERM), CocoaError.fileWriteNoPermission.rawValue:
      return "permission denied"
    case Int(ENOSPC), CocoaError.fileWriteOutOfSpace.rawValue: return "the disk is full"
    case Int(EROFS): return "the file system is read-only"
    case Int(ENOTDIR), Int(EEXIST): return "a part of the path is a file, not a folder"
    default: return "the system refused (\(number))"
    }
  }
}
