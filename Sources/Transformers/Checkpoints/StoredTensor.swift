internal import Files
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

  /// Reads some of the numbers of a tensor that was found sound, into as many in one piece of memory.
  ///
  /// - Throws: `CheckpointError.unreadable`.
  func read(_ range: Range<Int>, into window: Matrix) throws
}

extension StoredTensor {
  package func read(_ range: Range<Int>, into window: Matrix) throws {
    let flat = window.reshaped(rows: 1, columns: window.count)
    for start in stride(from: range.lowerBound, to: range.upperBound, by: StoredNumbers.piece) {
      let piece = start..<min(start + StoredNumbers.piece, range.upperBound)
      flat.columns(piece.lowerBound - range.lowerBound..<piece.upperBound - range.lowerBound)
        .copy(try numbers(in: piece))
    }
  }

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

  /// Numbers that are read at once and gone: of larger pieces the C library gives the memory back to the system each
  /// time, which then clears it again.
  private static let smallPiece = 1 << 15

  /// Reads the numbers of a tensor.
  ///
  /// - Parameter numbers: What the bytes of a piece mean.
  /// - Throws: `CheckpointError.unreadable`; `.badTensor` if a number is infinite or undefined.
  func read(_ tensor: some StoredTensor, _ numbers: (Data) -> [Float]) throws -> Tensor {
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
    _ range: Range<Int>, of tensor: some StoredTensor, _ numbers: (Data) -> [Float]
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
    _ numbers: (Data) -> [Float]
  ) throws -> [Float] {
    let scalars = numbers(try bytes(range, handle))
    guard scalars.allSatisfy(\.isFinite) else {
      throw CheckpointError.badTensor(
        tensor.name, file: url.path, reason: "holds infinite or undefined numbers")
    }
    return scalars
  }

  private func bytes(_ range: Range<Int>, _ handle: FileHandle) throws -> Data {
    precondition(
      range.lowerBound % block.count == 0 && range.count % block.count == 0,
      "Numbers are kept in blocks of \(block.count)")
    let place = offset + UInt64(range.lowerBound / block.count * block.bytes)
    guard let bytes = handle.bytes(range.count / block.count * block.bytes, at: place) else {
      throw CheckpointError.unreadable(file: url.path, reason: "it changed while it was read")
    }
    return bytes
  }

  /// Reads some of them into one piece of memory, without a copy between.
  ///
  /// - Throws: `CheckpointError.unreadable`.
  func read(_ range: Range<Int>, of floats: NarrowFloats, into window: Matrix) throws {
    let handle = try open()
    defer { try? handle.close() }
    let flat = window.reshaped(rows: 1, columns: window.count)
    for start in stride(from: 0, to: range.count, by: Self.smallPiece) {
      let piece = start..<min(start + Self.smallPiece, range.count)
      let place = range.lowerBound + piece.lowerBound..<range.lowerBound + piece.upperBound
      floats.write(try bytes(place, handle).bytes, into: flat.columns(piece))
    }
  }
}
