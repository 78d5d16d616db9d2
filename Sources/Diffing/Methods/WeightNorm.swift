package import Tensors
internal import Transformers

/// Where weights moved and by how much.
///
/// The change of each tensor is measured relative to the tensor, after its component along the
/// tensor is removed: weight decay shrinks everything and is no evidence of anything.
package struct WeightNorm: DiffingMethod {
  package static let card = MethodCard(
    id: "weight-norm",
    summary: "Relative Frobenius norm of each weight change, by module and by token row.",
    source: "folklore; cautions after Minder et al., 2025 (arXiv 2510.13900)",
    questions: [.whether, .what, .where], access: [.weights])

  package init() {}

  package func diff(
    _ pair: ModelPair, on prompts: PromptPool, using generator: inout SeededGenerator
  ) throws -> Evidence {
    let names = pair.base.names
    let changes = pair.base.parameters.layout.names.map { name in
      TensorChange(name: name, base: pair.base.parameters[name], change: pair.change(of: name))
    }
    let groups = Dictionary(grouping: changes) { names.module(of: $0.name) }
    let modules = ModuleSite.all(layers: pair.shape.layers)
    let norms = modules.map { module in (module, TensorChange.relative(groups[module] ?? [])) }
    var evidence = Evidence()
    evidence.magnitude = Double(TensorChange.relative(changes))
    evidence.sites = SiteClaim.ranking(norms)
    evidence.tokens = tokens(pair, excluding: prompts.specialTokens)
    evidence.exhibits = [
      Exhibit(
        title: "Relative change by module", columns: ["module", "norm"],
        rows: norms.map { [$0.0.description, "\($0.1)"] })
    ]
    return evidence
  }

  /// Tokens whose rows of the embedding or the unembedding moved; nil if none did.
  private func tokens(_ pair: ModelPair, excluding excluded: Set<Int>) -> [TokenClaim]? {
    let names = pair.base.names
    // A tied model has one matrix under both roles: its rows count once.
    let matrices =
      names.embedding == names.unembedding
      ? [names.embedding] : [names.embedding, names.unembedding]
    let moved = matrices.map { pair.change(of: $0) }.filter { $0.norm > 0 }
    guard !moved.isEmpty else { return nil }
    return TokenClaim.roundRobin(
      moved.map { TokenClaim.ranking($0.rowNorms, excluding: excluded) })
  }
}

/// A tensor and what was added to it.
private struct TensorChange {
  let name: String
  let baseSquare: Double
  let changeSquare: Double

  init(name: String, base: Tensor, change: Tensor) {
    self.name = name
    baseSquare = Double(base.norm) * Double(base.norm)
    let along = Double(dot(change.scalars, base.scalars))
    let square = Double(change.norm) * Double(change.norm)
    changeSquare = max(0, square - (baseSquare > 0 ? along * along / baseSquare : 0))
  }

  /// The norm of several changes relative to that of their tensors.
  static func relative(_ changes: [TensorChange]) -> Float {
    let base = changes.reduce(0) { $0 + $1.baseSquare }
    let change = changes.reduce(0) { $0 + $1.changeSquare }
    return Float((change / max(base, .leastNormalMagnitude)).squareRoot())
  }
}
