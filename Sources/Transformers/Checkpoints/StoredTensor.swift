internal import Foundation
package import Tensors

/// A tensor of a file, not read yet.
package protocol StoredTensor: Sendable {
  /// The name under which a model of the file's form keeps it.
  var name: String { get }
  var shape: [Int] { get }
  /// The file that holds it.
  var path: String { get }
  /// How it keeps its numbers: `F32`, `BF16`, `Q4_K`.
  var type: String { get }
  var byteCount: Int { get }

  /// Reads the tensor, as 32-bit floats.
  ///
  /// - Throws: `CheckpointError.unreadable`; `.badTensor` if a number is infinite or undefined.
  func read() throws -> Tensor

  /// Reads some of the numbers as 32-bit floats; of types that keep them in blocks, whole blocks.
  ///
  /// - Throws: As `read`.
  func numbers(in range: Range<Int>) throws -> [Float]
}

extension StoredTensor {
  /// How many numbers it has.
  package var count: Int { shape.reduce(1, *) }

  /// Reads `StoredNumbers.piece` numbers, or what is left.
  package func piece(at start: Int) throws -> [Float] {
    try numbers(in: start..<min(start + StoredNumbers.piece, count))
  }

  /// Where its pieces start.
  package var pieceStarts: StrideTo<Int> { stride(from: 0, to: count, by: StoredNumbers.piece) }
}

/// Where a file keeps the numbers of a tensor.
struct StoredNumbers: Sendable {
  let url: URL
  let offset: UInt64
  /// Numbers that are kept together, and in how many bytes: one, or a block of them.
  let block: (count: Int, bytes: Int)
  let count: Int

  /// Numbers that are read at once, whole blocks: beside them, only so much of the file is in memory.
  static let piece = 1 << 18

  /// Reads the numbers of a tensor.
  ///
  /// - Parameter numbers: What the bytes of a piece mean.
  /// - Throws: `CheckpointError.unreadable`; `.badTensor` if a number is infinite or undefined.
  func read(_ tensor: some StoredTensor, _ numbers: ([UInt8]) -> [Float]) throws -> Tensor {
    let handle = try open()
    defer { try? handle.close() }
    var scalars: [Float] = []
    scalars.reserveCapacity(count)
    for start in tensor.pieceStarts {
      scalars += try piece(
        start..<min(start + Self.piece, count), of: tensor, handle, numbers)
    }
    return Tensor(shape: tensor.shape, scalars: scalars)
  }

  /// Reads some of them.
  ///
  /// - Throws: As `read`.
  func read(
    _ range: Range<Int>, of tensor: some StoredTensor, _ numbers: ([UInt8]) -> [Float]
  ) throws -> [Float] {
    let handle = try open()
    defer { try? handle.close() }
    return try piece(range, of: tensor, handle, numbers)
  }

  private func open() throws -> FileHandle {
    guard let handle = try? FileHandle(forReadingFrom: url) else {
      throw CheckpointError.unreadable(file: url.path, reason: "no permission")
    }
    return handle
  }

  private func piece(
    _ range: Range<Int>, of tensor: some StoredTensor, _ handle: FileHandle,
    _ numbers: ([UInt8]) -> [Float]
  ) throws -> [Float] {
    precondition(
      range.lowerBound % block.count == 0 && range.count % block.count == 0,
      "Numbers are kept in blocks of \(block.count)")
    let size = range.count / block.count * block.bytes
    let place = offset + UInt64(range.lowerBound / block.count * block.bytes)
    guard (try? handle.seek(toOffset: place)) != nil,
      let bytes = try? handle.read(upToCount: size), bytes.count == size
    else {
      throw CheckpointError.unreadable(file: url.path, reason: "it changed while it was read")
    }
    let scalars = numbers([UInt8](bytes))
    guard scalars.allSatisfy(\.isFinite) else {
      throw CheckpointError.badTensor(
        tensor.name, file: url.path, reason: "holds infinite or undefined numbers")
    }
    return scalars
  }
}
