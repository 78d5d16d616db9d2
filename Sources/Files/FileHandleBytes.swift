package import Foundation

extension FileHandle {
  /// Reads bytes from a place on, in one call of the system's; `read(upToCount:)` takes 4 KiB at a time.
  ///
  /// - Parameters:
  ///   - count: How many.
  ///   - offset: Where the first one stands; where the handle stands does not count and is not changed.
  /// - Returns: The bytes; nil if there are not so many, or the system refuses to read them.
  package func bytes(_ count: Int, at offset: UInt64) -> Data? {
    var bytes = Data(count: count)
    let descriptor = fileDescriptor
    let isWhole = unsafe bytes.withUnsafeMutableBytes { buffer in
      var filled = 0
      while filled < count {
        let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[filled...])
        let got = unsafe pread(
          descriptor, rest.baseAddress, rest.count, off_t(offset) + off_t(filled))
        if got < 0 && errno == EINTR { continue }
        guard got > 0 else { return false }
        filled += got
      }
      return true
    }
    return isWhole ? bytes : nil
  }
}
