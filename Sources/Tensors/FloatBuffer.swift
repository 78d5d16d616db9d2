internal import Synchronization

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
    start = LargeBlocks.shared.take(count) ?? Self.allocate(count)
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

  private static func allocate(_ count: Int) -> UnsafeMutablePointer<Float> {
    UnsafeMutableRawPointer.allocate(
      byteCount: max(count, 1) * MemoryLayout<Float>.stride, alignment: 64
    ).bindMemory(to: Float.self, capacity: max(count, 1))
  }

  deinit {
    if isOwner && !LargeBlocks.shared.keep(start, count) {
      UnsafeMutableRawPointer(start).deallocate()
    }
  }

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

/// Large blocks of memory that were given back, for who wants as much again.
///
/// The system clears every page that it hands out. A model that is read block by block asks for the same few
/// sizes over and over, and would spend a third of its time in that.
private final class LargeBlocks: Sendable {
  static let shared = LargeBlocks()

  private struct Block: @unchecked Sendable {
    let start: UnsafeMutablePointer<Float>
    let count: Int
  }

  private let kept = Mutex<[Block]>([])

  /// Numbers (8 MiB) from which on a block is kept.
  private static let least = 1 << 21
  /// Numbers (128 MiB) that are kept at once.
  private static let limit = 1 << 25

  func take(_ count: Int) -> UnsafeMutablePointer<Float>? {
    guard count >= Self.least else { return nil }
    return kept.withLock { blocks in
      blocks.firstIndex { $0.count == count }.map { blocks.remove(at: $0).start }
    }
  }

  /// Whether the block is kept; the oldest give way to it.
  func keep(_ start: UnsafeMutablePointer<Float>, _ count: Int) -> Bool {
    guard count >= Self.least, count <= Self.limit else { return false }
    let freed = kept.withLock { blocks -> [Block] in
      blocks.append(Block(start: start, count: count))
      var total = blocks.reduce(0) { $0 + $1.count }
      let end = blocks.firstIndex { block in
        guard total > Self.limit else { return true }
        total -= block.count
        return false
      }
      defer { blocks.removeFirst(end ?? blocks.count) }
      return Array(blocks.prefix(end ?? blocks.count))
    }
    freed.forEach { UnsafeMutableRawPointer($0.start).deallocate() }
    return true
  }
}
