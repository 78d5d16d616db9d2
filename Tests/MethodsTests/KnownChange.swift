import Diffing
import Tensors
import Transformers

/// Pairs whose change is known exactly, and what a method says of them.
enum KnownChange {
  static let base = MethodContractTests.base

  /// What a method says of the base and a model made of it.
  static func evidence(
    _ method: any DiffingMethod, _ finetuned: any LanguageModel, base: any LanguageModel = base,
    access: AccessLevel, prompts: PromptSet? = nil, seed: UInt64 = 1
  ) throws -> Evidence {
    var generator = SeededGenerator(seed: seed)
    return try method.evidence(
      for: ModelPair(base: base, finetuned: finetuned),
      on: prompts ?? MethodContractTests.prompts(access), using: &generator)
  }

  /// The base with a product added to one of its matrices.
  static func adding(_ left: Tensor, _ right: Tensor, to name: String) -> any LanguageModel {
    var model = base
    model.parameters[name] = model.parameters[name] + matrixProduct(left, right)
    return model
  }

  /// The base, wide enough for biases, and the same with a bias after the MLP of a block.
  static func biased(_ vector: Tensor, layer: Int) -> (
    base: any LanguageModel, finetuned: any LanguageModel
  ) {
    let wide = base.addingMLPBiases()
    var finetuned = wide
    finetuned.parameters["model.layers.\(layer).mlp.down_proj.bias"] = vector
    return (wide, finetuned)
  }

  /// The direction whose lens names `token` most.
  static func direction(of token: Int, norm: Float) -> Tensor {
    let row = Tensor(Array(base.parameters[base.names.unembedding].row(token)))
    let raw = row * base.parameters[base.names.finalNorm]
    return raw.scaled(by: norm / raw.norm)
  }
}

extension Evidence {
  private func content(_ title: String) -> Exhibit.Content? {
    exhibits.first { $0.title.hasPrefix(title) }?.content
  }

  /// The rows of the table whose title starts so.
  func table(_ title: String) -> [[String]]? {
    guard case .table(_, let rows)? = content(title) else { return nil }
    return rows.map { $0.map(text) }
  }

  private func text(_ cell: Exhibit.Cell) -> String {
    switch cell {
    case .text(let text): text
    case .number(let number): number == number.rounded() ? "\(Int(number))" : "\(number)"
    case .token(let token): "#\(token)"
    case .none: "-"
    }
  }

  /// The values of the map whose title starts so.
  func heatMap(_ title: String) -> [[Float]]? {
    if case .heatMap(_, _, let values)? = content(title) { values } else { nil }
  }

  /// The lines of the curves whose title starts so.
  func curves(_ title: String) -> [[Float]]? {
    if case .curves(_, _, let lines)? = content(title) { lines.map(\.values) } else { nil }
  }

  /// The direction that is proposed first for steering or projecting.
  var proposedDirection: Tensor? {
    switch interventions?.first {
    case .steer(_, let direction)?, .project(_, let direction)?: Tensor(direction)
    default: nil
    }
  }
}
