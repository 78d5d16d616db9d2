import Diffing
import Methods
import Tensors
import TestSupport
import Testing
import Transformers

@Suite("Task vectors")
struct TaskVectorTests: KnownChangeSuite {
  @Test("task vectors are extracted, negated, scaled, added and compared")
  func taskVectors() throws {
    let finetuned = MethodContractTests.finetuned
    let vector = TaskVector(try ModelPair(base: base, finetuned: finetuned))
    func close(_ a: any LanguageModel, _ b: any LanguageModel) {
      expectClose(a.parameters.allNumbers, b.parameters.allNumbers, tolerance: 1e-5)
    }
    close(vector.applied(to: base), finetuned)
    close(vector.negated.applied(to: finetuned), base)
    close(vector.scaled(by: 0.25).applied(to: base, factor: 4), finetuned)
    close((vector + vector.negated).applied(to: base), base)
    #expect(abs(vector.cosine(vector.scaled(by: 3)) - 1) < 1e-5)
    #expect(abs(vector.cosine(vector.negated) + 1) < 1e-5)
    let attention = vector.restricted { $0.contains("attn") }
    let rest = vector.restricted { !$0.contains("attn") }
    #expect(attention.cosine(rest) == 0)
    close((attention + rest).applied(to: base), finetuned)
    #expect(
      abs(attention.norm * attention.norm + rest.norm * rest.norm - vector.norm * vector.norm)
        < 1e-3)
  }

  @Test("of a LoRA one factor is scaled: scaling both would square it")
  func scaledFactors() throws {
    let base = LowRankPair.base
    let adapted = base.with(LowRankPair.lora.adapted(base.parameters))
    let vector = TaskVector(try ModelPair(base: base, finetuned: adapted))
    let name = LowRankPair.lora.targets[0]
    let change = LowRankPair.lora.update(of: name).product
    let louder = vector.applied(to: base, factor: 3)
    expectClose(
      louder.parameters[name] - base.parameters[name], change.scaled(by: 3), tolerance: 1e-4)
    let mutant = matrixProduct(
      LowRankPair.lora.update(of: name).left.scaled(by: 3),
      LowRankPair.lora.update(of: name).right.scaled(by: 3))
    #expect(abs(mutant.norm / change.norm - 9) < 1e-3)
  }
}
