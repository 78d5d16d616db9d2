import Diffing
import Methods
import Tensors
import TestSupport
import Testing
import Transformers

@Suite("Activation steering")
struct ActivationSteeringTests: KnownChangeSuite {
  @Test("steering: a constant bias is the direction, and its token rises above controls")
  func steering() throws {
    let vector = KnownChange.direction(of: 7, norm: 3)
    let (wide, finetuned) = KnownChange.biased(vector, layer: 1)
    let evidence = try KnownChange.evidence(
      ActivationSteering(), finetuned, base: wide, access: .unrelated)
    #expect(cosine(try #require(evidence.proposedDirection), vector) > 0.999)
    let pair = try ModelPair(base: wide, finetuned: finetuned)
    let text = MethodContractTests.prompts(.unrelated)
    let shift =
      pair.logProbabilities(.finetuned, on: text.text, at: text.countedTokens)
      - pair.logProbabilities(.base, on: text.text, at: text.countedTokens)
    var means = shift.meanRow.scalars
    for special in text.specialTokens { means[special] = -.infinity }
    #expect(evidence.tokens?.first { $0.sign == 1 }?.token == means[...].indexOfLargest)
  }
}
