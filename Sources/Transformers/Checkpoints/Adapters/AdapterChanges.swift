internal import Tensors

/// What an adapter makes of its base.
public struct AdapterChanges: Sendable {
  /// A change of one tensor, kept as factors.
  struct Factors: Sendable {
    let target: String
    /// Shaped `[rank, input]` and `[output, rank]`.
    let a, b: Tensor
    let scale: Float

    var update: LowRankUpdate { LowRankUpdate(left: b.scaled(by: scale), right: a) }
  }

  let factors: [Factors]
  /// Tensors that take another value.
  let values: [(name: String, tensor: Tensor)]
  /// The base; its head is its own if the adapter changes that or the embedding alone.
  private let base: DecoderModel

  init(_ factors: [Factors], _ values: [(name: String, tensor: Tensor)], of base: DecoderModel) {
    self.factors = factors
    self.values = values
    self.base = base
  }

  /// The base with the changes; factors alone are kept beside its memory, which both then share.
  public var model: any LanguageModel {
    var model = base
    for (name, tensor) in values { model.parameters[name] = tensor }
    model.parameters = factors.reduce(model.parameters) { $0.updated($1.target, by: $1.update) }
    return model
  }

  /// The same as factors of one rank and scale; nil if they are not.
  var lora: LoRA? {
    guard values.isEmpty, let first = factors.first,
      factors.allSatisfy({ $0.scale == first.scale && $0.a.rows == first.a.rows })
    else { return nil }
    var lora = LoRA(
      rank: first.a.rows, alpha: first.scale * Float(first.a.rows),
      targets: factors.map(\.target), layout: base.parameters.layout)
    for factor in factors {
      lora.factors["\(factor.target).A"] = factor.a
      lora.factors["\(factor.target).B"] = factor.b
    }
    return lora
  }
}
