import Diffing
import Methods
import Tensors
import TestSupport
import Testing
import Transformers

@Suite("Work")
struct MeteredModelTests: KnownChangeSuite {
  @Test("work is counted as if a method had run alone, whoever recorded first")
  func work() throws {
    let pair = try ModelPair(base: base, finetuned: MethodContractTests.finetuned)
    let prompts = MethodContractTests.prompts(.unrelated)
    func work(_ method: any DiffingMethod) throws -> Work {
      try pair.measuring {
        var generator = SeededGenerator(seed: 1)
        return try method.evidence(for: pair, on: prompts, using: &generator)
      }.1
    }
    let first = try work(OutputDivergence()), second = try work(DiffMining())
    #expect(first.tokensForward == 2 * prompts.text.count && first.tokensShared == 0)
    #expect(second.tokensForward == first.tokensForward)
    #expect(second.tokensShared == first.tokensForward && second.sharedSeconds > 0)
    #expect(first.tokensBackward == 0)
    let edited = try work(ActivationSteering())
    #expect(edited.tokensForward > edited.tokensShared)
    let (_, gradient) = pair.measuring {
      pair.finetuned.lossAndGradient(on: TrainingBatch([[1, 5, 6]]))
    }
    #expect(gradient.tokensBackward == 3)
  }
}
