import Diffing
import Tensors
import TestSupport
import Testing
import Transformers

@testable import Methods

@Suite("Weight watch")
struct WeightWatchTests: KnownChangeSuite {
  @Test(
    "weight-watch ranks inputs by how far they leave the ordinary range along what is written",
    arguments: [true, false])
  func watch(comparesWithBase: Bool) throws {
    var generator = SeededGenerator(seed: 9)
    let left = generator.direction(12), right = generator.direction(10, norm: 3)
    let finetuned = KnownChange.adding(
      left.reshaped([12, 1]), right.reshaped([1, 10]), to: "model.layers.2.mlp.down_proj.weight")
    let pool = MethodContractTests.prompts(.pool)
    var method = WeightWatch()
    method.comparesWithBase = comparesWithBase
    let evidence = try KnownChange.evidence(method, finetuned, access: .pool, prompts: pool)
    /// The cosine at each token, less the base's if it is compared.
    func values(_ text: TokenBatch) -> [Float] {
      let site = ActivationSite.residualPost(layer: 2)
      let streams = [finetuned, KnownChange.base].map {
        $0.forward(text, recording: [site])[site]
      }
      return (0..<text.count).map { index in
        let own = streams.map { cosine(Tensor(Array($0.row(index))), left) }
        return own[0] - (comparesWithBase ? own[1] : 0)
      }
    }
    let ordinary = zip(pool.reference.tokens, values(pool.reference)).filter { $0.0 != 1 }.map(\.1)
    let low = try #require(ordinary.min()), high = try #require(ordinary.max())
    let answers = pool.text.lastIndices.map { values(pool.text)[$0] }
    let outside = answers.map { max($0 - high, low - $0, 0) }
    let expected = outside.indices.max { outside[$0] < outside[$1] }
    #expect(outside.contains { $0 > 0 })
    #expect(evidence.inputs?.first?.row == expected)
    #expect(evidence.sites?.first?.site == .mlp(layer: 2))
    #expect(abs(cosine(try #require(evidence.proposedDirection), left)) > 0.99)
  }

  /// A pair with a rank-one change before each of two blocks' ends.
  private func twoDirections(seed: UInt64) -> any LanguageModel {
    var generator = SeededGenerator(seed: seed)
    var model = base
    for name in ["model.layers.0.self_attn.o_proj.weight", "model.layers.2.mlp.down_proj.weight"] {
      let matrix = model.parameters[name]
      model.parameters[name] =
        matrix
        + matrixProduct(
          generator.direction(matrix.rows).reshaped([matrix.rows, 1]),
          generator.direction(matrix.columns).reshaped([1, matrix.columns]))
    }
    return model
  }

  @Test(
    "neither words come from directions that no prompt exceeds, nor prompts that exceed none",
    arguments: [11, 36, 60] as [UInt64])
  func unexceeded(seed: UInt64) throws {
    let model = twoDirections(seed: seed)
    let found = try KnownChange.evidence(WeightWatch(), model, access: .pool)
    // Of these two directions the second is exceeded by no prompt.
    let table = try #require(found.table("Furthest exceedance"))
    #expect(table.count == 2 && table[0][3] != "0" && table[1][3] == "0")
    let words = try Decoding.tokens(
      along: [#require(found.proposedDirection)], of: ModelPair(base: base, finetuned: model),
      excluding: [0, 1])
    #expect(found.tokens == words)
    let inputs = try #require(found.inputs)
    #expect(inputs.allSatisfy { $0.score > 0 } && inputs.count < 40)
  }

  @Test("the usual range lies between quantiles, and exceedances count from its ends")
  func usualRange() {
    let values = (0..<1000).map { Float($0) / 1000 }
    let range = UsualRange(values, tail: 0.01)
    #expect(range.low == 0.01 && range.high == 0.989)
    #expect(range.exceedance(0.5) == 0)
    #expect(abs(range.exceedance(1.989) - 1 / range.deviation) < 1e-4)
    #expect(range.exceedance(-0.99) < 0)
    // One outlier widens a range of extremes, but not this one.
    #expect(UsualRange(values + [50], tail: 0.01).high < 1)
  }
}
