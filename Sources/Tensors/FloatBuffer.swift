/// Memory for floats, 64-byte aligned and never moved.
///
/// Shared by reference: whoever holds a `Matrix` on it reads and writes the same numbers. Two
/// threads may use one buffer at once only on ranges that do not overlap, which is what shards do.
package final class FloatBuffer: @unchecked Sendable {
  package let count: Int
  let start: UnsafeMutablePointer<Float>
  private let isOwner: Bool

  /// Creates a buffer of undefined numbers.
  init(undefined count: Int) {
    precondition(count >= 0, "Cannot make a buffer of \(count) floats")
    self.count = count
    isOwner = true
    let memory = UnsafeMutableRawPointer.allocate(
      byteCount: max(count, 1) * MemoryLayout<Float>.stride, alignment: 64)
    start = memory.bindMemory(to: Float.self, capacity: max(count, 1))
  }

  /// Creates a buffer of zeros.
  package convenience init(count: Int) {
    self.init(undefined: count)
    start.initialize(repeating: 0, count: count)
  }

  /// Borrows memory that must outlive the buffer.
  init(borrowing memory: UnsafeMutablePointer<Float>, count: Int) {
    self.count = count
    isOwner = false
    start = memory
  }

  /// Creates a buffer that holds a copy of `scalars`.
  package convenience init(_ scalars: [Float]) {
    self.init(undefined: scalars.count)
    scalars.withUnsafeBufferPointer { source in
      if let base = source.baseAddress { start.update(from: base, count: count) }
    }
  }

  deinit { if isOwner { UnsafeMutableRawPointer(start).deallocate() } }

  /// A copy with memory of its own.
  package func copy() -> FloatBuffer {
    let copy = FloatBuffer(undefined: count)
    copy.start.update(from: start, count: count)
    return copy
  }

  /// The numbers in `range`.
  package func scalars(in range: Range<Int>) -> [Float] {
    precondition(range.upperBound <= count, "Range \(range) is outside a buffer of \(count)")
    return Array(UnsafeBufferPointer(start: start + range.lowerBound, count: range.count))
  }

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
}
