internal import Tensors
internal import Transformers

/// A change of the numbers that leaves the behaviour: what everybody's models go through without a finetune.
package enum NumericChange: String, CaseIterable, Sendable {
  /// None at all.
  case identical
  /// Other weights that compute the same function.
  case reparameterised
  /// A round trip through integers of 8 bits.
  case quantised
  /// A round trip through bfloat16.
  case bfloat16
  /// The smallest weights of every matrix set to zero.
  case pruned
  /// Gaussian noise on every matrix.
  case noise
  /// An update merged into the weights and taken out again: what rounding leaves of it.
  case merged

  /// The share of a matrix that is pruned, by count.
  private static let prunedShare = 0.01
  /// The norm of the noise, as a share of its matrix's.
  private static let noiseShare: Float = 1e-3
  /// The norm of the update that is merged, as a share of its matrix's.
  private static let mergedShare: Float = 0.05

  /// The changed model.
  ///
  /// - Parameters:
  ///   - model: The base.
  ///   - seed: Decides what is drawn.
  func applied(to model: any LanguageModel, seed: UInt64) -> any LanguageModel {
    var generator = SeededGenerator(seed: seed, for: "numeric change \(rawValue)")
    switch self {
    case .identical: return model
    case .reparameterised: return model.reparameterised(using: &generator)
    case .quantised: return model.with(model.parameters.quantised())
    case .bfloat16:
      return changed(model) { matrix in
        matrix.map { Float(bitPattern: Self.roundedToBFloat16($0.bitPattern)) }
      }
    case .pruned: return changed(model, Self.pruned)
    case .noise:
      return changed(model) { matrix in
        matrix + Self.random(matrix, &generator).scaled(by: Self.noiseShare * matrix.norm)
      }
    case .merged:
      return changed(model) { matrix in
        let update = Self.random(matrix, &generator).scaled(by: Self.mergedShare * matrix.norm)
        return (matrix + update) - update
      }
    }
  }

  private func changed(_ model: any LanguageModel, _ change: (Tensor) -> Tensor)
    -> any LanguageModel
  {
    var changed = model
    for entry in model.parameters.layout.entries where entry.shape.count == 2 {
      changed.parameters[entry.name] = change(model.parameters[entry.name])
    }
    return changed
  }

  /// A direction of norm 1 in a matrix's shape.
  private static func random(_ matrix: Tensor, _ generator: inout SeededGenerator) -> Tensor {
    generator.direction(matrix.count).reshaped(matrix.shape)
  }

  private static func pruned(_ matrix: Tensor) -> Tensor {
    let sizes = matrix.scalars.map(abs).sorted()
    let bound = sizes[Int(prunedShare * Double(sizes.count))]
    return matrix.map { abs($0) < bound ? 0 : $0 }
  }

  /// The bits of the nearest number with 8 bits of mantissa, ties to even.
  private static func roundedToBFloat16(_ bits: UInt32) -> UInt32 {
    (bits &+ 0x7FFF &+ ((bits >> 16) & 1)) & 0xFFFF_0000
  }
}
