import Diffing
import Methods
import Tensors
import TestSupport
import Testing
import Transformers

@Suite("Readouts")
struct ReadoutsTests: KnownChangeSuite {
  @Test("at the last block the lens difference is the difference of the output log-probabilities")
  func lastLens() throws {
    let pair = try ModelPair(base: base, finetuned: MethodContractTests.finetuned)
    let text = MethodContractTests.prompts(.unrelated).text
    let site = ActivationSite.residualPost(layer: 2)
    for side in [ModelPair.Side.base, .finetuned] {
      let lens = LogitLens(pair.model(side)).logits(
        of: pair.activations(side, at: site, on: text))
      expectClose(lens, pair.logits(side, on: text), tolerance: 1e-5)
    }
  }
}
