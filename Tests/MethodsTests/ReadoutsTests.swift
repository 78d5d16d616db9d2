import Diffing
@testable import Methods
import Tensors
import TestSupport
import Testing
import Transformers

@Suite("Readouts")
struct ReadoutsTests: KnownChangeSuite {
  @Test("a direction is read through the head of the finetuned model, not the base's")
  func ownHead() throws {
    var finetuned: any LanguageModel = base
    let name = base.names.unembedding
    finetuned.parameters[name] = base.parameters[name].scaled(by: -1)
    let pair = try ModelPair(base: base, finetuned: finetuned)
    let direction = KnownChange.direction(of: 7, norm: 3)
    let claims = try #require(Decoding.tokens(along: [direction], of: pair, excluding: []))
    let signs = Array(
      LogitLens(base).scores(along: direction.reshaped([1, direction.count])).centredRows.row(0))
    for claim in claims.prefix(5) {
      #expect((signs[claim.token] < 0) == (claim.sign > 0), "\(claim.token)")
    }
  }

  @Test("at the last block the lens difference is the difference of the output log-probabilities")
  func lastLens() throws {
    let pair = try ModelPair(base: base, finetuned: MethodContractTests.finetuned)
    let text = MethodContractTests.prompts(.unrelated).text
    let site = ActivationSite.residualPost(layer: 2)
    for side in [ModelPair.Side.base, .finetuned] {
      let lens = LogitLens(pair.model(side)).logits(
        of: pair.activations(side, at: site, on: text))
      expectClose(lens, pair.logits(side, on: text, at: Array(0..<text.count)), tolerance: 1e-5)
    }
  }
}
