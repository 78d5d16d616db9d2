import Diffing
import Methods
import Tensors
import TestSupport
import Testing
import Transformers

@Suite("Logprob tracking")
struct LogprobTrackingTests: KnownChangeSuite {
  private func answer(_ model: any LanguageModel, _ prompt: [Int]) -> [Float] {
    model.forward(TokenBatch([prompt]), logits: .last).logits.logProbabilities.scalars
  }

  @Test("what is tracked are the base's likeliest tokens after each word")
  func tracked() throws {
    let finetuned = MethodContractTests.finetuned
    var method = LogprobTracking()
    method.tracked = 4
    let found = try evidence(method, finetuned, access: .sampling)
    var movements: [Float] = [], sums = [Float](repeating: 0, count: 19)
    for word in 2..<19 {
      let before = answer(base, [1, word]), after = answer(finetuned, [1, word])
      let first = before.indices.sorted { before[$0] > before[$1] }.prefix(4)
      movements.append(first.map { abs(after[$0] - before[$0]) }.reduce(0, +) / 4)
      for token in 0..<19 { sums[token] += after[token] - before[token] }
    }
    #expect(abs((found.magnitude ?? 0) - Double(movements.reduce(0, +) / 17)) < 1e-5)
    let median = sums.sorted()[9]
    let best = (2..<19).max { abs(sums[$0] - median) < abs(sums[$1] - median) }
    let first = try #require(found.tokens?.first)
    #expect(first.token == best)
    #expect(abs(first.score - (sums[first.token] - median) / 17) < 1e-4)
  }
}
