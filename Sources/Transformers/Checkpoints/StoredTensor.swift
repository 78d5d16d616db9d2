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
