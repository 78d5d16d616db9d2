internal import Foundation
internal import Tensors
package import Transformers

/// What of a pair's difference is rounding alone, where the finetuned model was stored in fewer bits than the base.
package struct RoundingResidue: Sendable, Equatable {
  /// How the finetuned model was stored.
  package let type: String
  /// Tensors of the finetuned model that are the base's, rounded; and all that were stored in fewer bits.
  package let rounded: Int, narrowed: Int
  /// What rounding alone moves those tensors by, relative to their norm.
  package let size: Double
  /// Tensors that were stored in blocks of few bits, each rounded by as much as nobody can say.
  package let quantised: Int

  /// What was found.
  var finding: Finding {
    guard narrowed > 0 else {
      return Finding(
        .note, "rounding",
        "\(quantised) tensors of the second were quantised: much of their change is rounding")
    }
    let moves = String(format: "%.1e", size)
    return Finding(
      .note, "rounding",
      "the second was stored in \(type), the first in more bits, which alone moves a tensor by \(moves) of its norm: "
        + "\(rounded) of \(narrowed) tensors are the base's, rounded, and count as unchanged"
        + (rounded < narrowed ? "; in the others a change of that size may be rounding" : "")
        + (quantised > 0 ? "; \(quantised) more were quantised, and are rounded by more" : ""))
  }

  /// The base with every tensor rounded that the finetuned model has as its rounded copy, and what that was about.
  ///
  /// Others stay as they are: rounded, the base would be further from a tensor that was trained.
  package static func removed(_ base: Checkpoint, _ finetuned: Checkpoint) -> (
    Checkpoint, RoundingResidue?
  ) {
    var model = base.model, rounded = 0, narrowed = 0, noise = 0.0, norm = 0.0
    let names = base.types.keys.filter {
      narrowing(from: base.types[$0], to: finetuned.types[$0]) != nil
    }
    for name in names.sorted() where finetuned.model.parameters.layout.find(name) != nil {
      let own = model.parameters[name], other = finetuned.model.parameters[name]
      guard own.shape == other.shape,
        let round = narrowing(from: base.types[name], to: finetuned.types[name])
      else { continue }
      let narrow = own.map(round)
      narrowed += 1
      noise += squaredDistance(model.parameters.matrix(name), Matrix(narrow))
      norm += own.scalars.reduce(0) { $0 + Double($1) * Double($1) }
      guard narrow == other else { continue }
      rounded += 1
      model.parameters[name] = narrow
    }
    let quantised = base.types.count {
      finetuned.types[$0.key]?.hasPrefix("Q") == true && !$0.value.hasPrefix("Q")
    }
    guard narrowed + quantised > 0 else { return (base, nil) }
    let type = names.compactMap { finetuned.types[$0] }.max() ?? ""
    let size = norm > 0 ? (noise / norm).squareRoot() : 0
    return (
      rounded > 0 ? base.with(model) : base,
      RoundingResidue(
        type: type, rounded: rounded, narrowed: narrowed, size: size, quantised: quantised)
    )
  }

  /// Bits behind the point, of types that numbers are rounded to one by one.
  private static let digits = ["F64": 52, "F32": 23, "F16": 10, "BF16": 7]

  /// How a number of one type is rounded to another; nil unless that has fewer bits.
  static func narrowing(from wide: String?, to narrow: String?) -> (@Sendable (Float) -> Float)? {
    guard let before = wide.flatMap({ digits[$0] }), let after = narrow.flatMap({ digits[$0] }),
      after < before
    else { return nil }
    return switch narrow {
    case "BF16": { $0.roundedToBrain }
    case "F16": { $0.roundedToHalf }
    default: nil
    }
  }
}
