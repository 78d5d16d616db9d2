internal import Foundation

/// Memory for floats, 64-byte aligned, zeroed and never moved.
///
/// Shared by reference: whoever holds a `Matrix` on it reads and writes the same numbers. Two
/// threads may use one buffer at once only on ranges that do not overlap, which is what shards do.
package final class FloatBuffer: @unchecked Sendable {
  package let count: Int
  let start: UnsafeMutablePointer<Float>

  /// Creates a buffer of zeros.
  package init(count: Int) {
    precondition(count >= 0, "Cannot make a buffer of \(count) floats")
    self.count = count
    let memory = UnsafeMutableRawPointer.allocate(
      byteCount: max(count, 1) * MemoryLayout<Float>.stride, alignment: 64)
    start = memory.initializeMemory(as: Float.self, repeating: 0, count: max(count, 1))
  }

  /// Creates a buffer that holds a copy of `scalars`.
  package convenience init(_ scalars: [Float]) {
    self.init(count: scalars.count)
    scalars.withUnsafeBufferPointer { source in
      if let base = source.baseAddress { start.update(from: base, count: count) }
    }
  }

  deinit { UnsafeMutableRawPointer(start).deallocate() }

  /// A copy with memory of its own.
  package func copy() -> FloatBuffer {
    let copy = FloatBuffer(count: count)
    copy.start.update(from: start, count: count)
    return copy
  }

  /// The numbers in `range`.
  package func scalars(in range: Range<Int>) -> [Float] {
    precondition(range.upperBound <= count, "Range \(range) is outside a buffer of \(count)")
    return Array(UnsafeBufferPointer(start: start + range.lowerBound, count: range.count))
  }

  package func fill(_ value: Float) { start.update(repeating: value, count: count) }

  package subscript(index: Int) -> Float {
    get {
      precondition(index >= 0 && index < count, "Index \(index) is outside a buffer of \(count)")
      return start[index]
    }
    set {
      precondition(index >= 0 && index < count, "Index \(index) is outside a buffer of \(count)")
      start[index] = newValue
    }
  }

  /// The bytes of the numbers in `range`, in memory order.
  package func bytes(in range: Range<Int>) -> [UInt8] {
    precondition(range.upperBound <= count, "Range \(range) is outside a buffer of \(count)")
    return Array(
      UnsafeRawBufferPointer(
        start: start + range.lowerBound, count: range.count * MemoryLayout<Float>.stride))
  }

  /// Whether another buffer holds the same bytes; unlike `==`, it tells 0 from -0 and finds NaN equal.
  package func hasSameBytes(as other: FloatBuffer) -> Bool {
    count == other.count
      && (self === other || memcmp(start, other.start, count * MemoryLayout<Float>.stride) == 0)
  }
}
