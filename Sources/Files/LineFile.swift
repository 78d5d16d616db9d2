package import Foundation

/// A file of lines that several processes may add to at once.
///
/// Whoever reads or writes holds the file's lock, so a line without an end was left by a process that
/// died, and is cut off before the next one is added.
package struct LineFile: Sendable {
  private let handle: FileHandle

  /// Opens a file, or starts it.
  ///
  /// - Throws: `CocoaError` or `POSIXError`.
  package init(_ url: URL) throws {
    try FileManager.default.createDirectory(
      at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    let descriptor = unsafe open(
      url.path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0o644)
    guard descriptor >= 0 else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
    handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
  }

  /// What a file holds.
  package struct Content {
    /// Every line that has an end.
    package let lines: [Data]
    /// Whether a line without an end follows, left by a process that died.
    package let isTorn: Bool
  }

  /// Reads the file.
  package func content() throws -> Content {
    try locked {
      let size = try handle.seekToEnd(), whole = try whole()
      return Content(lines: Self.lines(of: whole), isTorn: whole.count < Int(size))
    }
  }

  /// Reads a file that is there, without touching it; an empty content if it is not.
  package static func content(of url: URL) -> Content {
    let data = (try? Data(contentsOf: url)) ?? Data()
    let whole = data.lastIndex(of: 0x0A).map { data[...$0] } ?? Data()
    return Content(lines: lines(of: whole), isTorn: whole.count < data.count)
  }

  private static func lines(of whole: Data) -> [Data] {
    // Ends are looked for in memory of one piece: an index of `Data` is checked for each byte.
    let ends = unsafe whole.withUnsafeBytes { bytes in
      bytes.indices.filter { unsafe bytes[$0] == 0x0A }
    }
    return zip([-1] + ends, ends).compactMap { start, end in
      start + 1 < end ? whole[whole.startIndex + start + 1..<whole.startIndex + end] : nil
    }
  }

  /// Adds a line.
  package func append(_ line: Data) throws {
    try locked {
      let end = try endOfLines()
      do {
        try handle.write(contentsOf: line + [0x0A])
      } catch {
        try? handle.truncate(atOffset: end)
        throw error
      }
    }
  }

  /// Where the last whole line ends; what follows it is cut off.
  private func endOfLines() throws -> UInt64 {
    let size = try handle.seekToEnd()
    guard size > 0 else { return 0 }
    try handle.seek(toOffset: size - 1)
    if try handle.read(upToCount: 1) == Data([0x0A]) { return size }
    let end = UInt64(try whole().count)
    try handle.truncate(atOffset: end)
    return end
  }

  private func whole() throws -> Data {
    try handle.seek(toOffset: 0)
    let content = try handle.readToEnd() ?? Data()
    return content.lastIndex(of: 0x0A).map { content[...$0] } ?? Data()
  }

  private func locked<Result>(_ body: () throws -> Result) throws -> Result {
    guard flock(handle.fileDescriptor, LOCK_EX) == 0 else {
      throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO)
    }
    defer { flock(handle.fileDescriptor, LOCK_UN) }
    return try body()
  }
}
