internal import Foundation
package import Tensors

/// A tensor of a file, not read yet.
package protocol StoredTensor: Sendable {
  /// The name under which a model of the file's form keeps it.
  var name: String { get }
  var shape: [Int] { get }
  /// The file that holds it.
  var path: String { get }

  /// Reads the tensor, as 32-bit floats.
  ///
  /// - Throws: `CheckpointError.unreadable`; `.badTensor` if a number is infinite or undefined.
  func read() throws -> Tensor
}

/// Where a file keeps the numbers of a tensor.
struct StoredNumbers: Sendable {
  let url: URL
  let offset: UInt64
  let byteCount: Int
  /// How many numbers there are.
  let count: Int
  /// Bytes that are read at once, whole numbers or blocks of them: beside the numbers, only so much of the file is
  /// in memory.
  let piece: Int

  /// Reads the numbers of a tensor.
  ///
  /// - Parameter numbers: What the bytes of a piece mean.
  /// - Throws: `CheckpointError.unreadable`; `.badTensor` if a number is infinite or undefined.
  func read(_ tensor: some StoredTensor, _ numbers: ([UInt8]) -> [Float]) throws -> Tensor {
    guard let handle = try? FileHandle(forReadingFrom: url) else {
      throw CheckpointError.unreadable(file: url.path, reason: "no permission")
    }
    defer { try? handle.close() }
    let fault = CheckpointError.unreadable(file: url.path, reason: "it changed while it was read")
    guard (try? handle.seek(toOffset: offset)) != nil else { throw fault }
    var scalars: [Float] = [], left = byteCount
    scalars.reserveCapacity(count)
    while left > 0 {
      let size = min(left, piece)
      guard let bytes = try? handle.read(upToCount: size), bytes.count == size else { throw fault }
      scalars += numbers([UInt8](bytes))
      left -= size
    }
    let result = Tensor(shape: tensor.shape, scalars: scalars)
    guard result.isFinite else {
      throw CheckpointError.badTensor(
        tensor.name, file: url.path, reason: "holds infinite or undefined numbers")
    }
    return result
  }
}

extension Float {
  /// An IEEE half by its bits: `Float16` does not exist on every platform.
  init(halfBits bits: UInt16) {
    let sign: Float = bits & 0x8000 == 0 ? 1 : -1
    let exponent = Int(bits >> 10 & 0x1F), fraction = Float(bits & 0x3FF)
    switch exponent {
    case 31: self = fraction == 0 ? sign * .infinity : .nan
    case 0: self = sign * fraction * 0x1.0p-24
    default:
      self =
        sign * (1 + fraction * 0x1.0p-10)
        * Float(sign: .plus, exponent: exponent - 15, significand: 1)
    }
  }
}
