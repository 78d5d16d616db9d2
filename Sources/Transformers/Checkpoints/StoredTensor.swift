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

  /// Reads the numbers as 32-bit floats, so many at once that little of a file is in memory: pieces of all tensors
  /// have `StoredNumbers.piece` numbers, but for the last.
  ///
  /// - Throws: As `read`, and what `body` throws.
  func forEachPiece(_ body: ([Float]) throws -> Void) throws
}

extension StoredTensor {
  /// How many numbers it has.
  package var count: Int { shape.reduce(1, *) }
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
    var scalars: [Float] = []
    scalars.reserveCapacity(count)
    try forEachPiece(of: tensor, numbers) { scalars += $0 }
    return Tensor(shape: tensor.shape, scalars: scalars)
  }

  /// Reads them piece by piece.
  ///
  /// - Throws: As `read`, and what `body` throws.
  func forEachPiece(
    of tensor: some StoredTensor, _ numbers: ([UInt8]) -> [Float], _ body: ([Float]) throws -> Void
  ) throws {
    guard let handle = try? FileHandle(forReadingFrom: url) else {
      throw CheckpointError.unreadable(file: url.path, reason: "no permission")
    }
    defer { try? handle.close() }
    let fault = CheckpointError.unreadable(file: url.path, reason: "it changed while it was read")
    guard (try? handle.seek(toOffset: offset)) != nil else { throw fault }
    var left = count
    while left > 0 {
      let size = min(left, Self.piece) / block.count * block.bytes
      guard let bytes = try? handle.read(upToCount: size), bytes.count == size else { throw fault }
      let scalars = numbers([UInt8](bytes))
      guard scalars.allSatisfy(\.isFinite) else {
        throw CheckpointError.badTensor(
          tensor.name, file: url.path, reason: "holds infinite or undefined numbers")
      }
      try body(scalars)
      left -= scalars.count
    }
  }
}
