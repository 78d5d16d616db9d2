import Diffing
import Tensors
import TestSupport
import Transformers

/// What suites of known changes have in common.
protocol KnownChangeSuite {}

extension KnownChangeSuite {
  var base: DecoderModel { KnownChange.base }
  var module: String { "model.layers.1.mlp.down_proj.weight" }

  /// Singular values 3, 2 and 1 along random directions.
  func rankThree() throws -> (left: Tensor, right: Tensor) {
    var generator = SeededGenerator(seed: 6)
    let raw = Tensor(shape: [12, 10], scalars: generator.direction(120, norm: 5).scalars)
    let basis = try SingularValueDecomposition(raw)
    let left = Matrix(basis.left).columns(0..<3).tensor
    return (left, basis.right.rows(at: [0, 1, 2]).scalingRows(by: [3, 2, 1]))
  }

  /// A model with the third head's queries moved in block 1.
  func movingHead(of model: DecoderModel) -> DecoderModel {
    var model = model
    let name = "model.layers.1.self_attn.q_proj.weight"
    var tensor = model.parameters[name]
    for row in 12..<18 { for column in 0..<12 { tensor[row, column] += 0.3 } }
    model.parameters[name] = tensor
    return model
  }

  /// A rank-one change of one MLP's output, whose direction is known.
  func varying(layer: Int) -> (finetuned: any LanguageModel, direction: Tensor) {
    var generator = SeededGenerator(seed: 8)
    let left = generator.direction(12), right = generator.direction(10, norm: 2)
    let finetuned = KnownChange.adding(
      left.reshaped([12, 1]), right.reshaped([1, 10]),
      to: "model.layers.\(layer).mlp.down_proj.weight")
    return (finetuned, left)
  }

  func evidence(
    _ method: any DiffingMethod, _ finetuned: any LanguageModel, access: AccessLevel
  ) throws -> Evidence {
    var generator = SeededGenerator(seed: 1)
    return try method.evidence(
      for: ModelPair(base: base, finetuned: finetuned),
      on: MethodContractTests.prompts(access), using: &generator)
  }
}
