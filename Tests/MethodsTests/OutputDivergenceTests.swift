import Diffing
import Methods
import Tensors
import TestSupport
import Testing
import Transformers

@Suite("Output divergence")
struct OutputDivergenceTests: KnownChangeSuite {
  @Test("the divergence table is that of the two models' answers")
  func divergenceTable() throws {
    let finetuned = MethodContractTests.finetuned
    let evidence = try KnownChange.evidence(OutputDivergence(), finetuned, access: .unrelated)
    let rows = try #require(evidence.table("Divergence of the answers"))
    let pair = try ModelPair(base: base, finetuned: finetuned)
    let prompts = MethodContractTests.prompts(.unrelated)
    let shown = prompts.countedTokens.filter { $0 < prompts.text.starts[32] }
    let p = pair.logProbabilities(.finetuned, on: prompts.text, at: shown)
    let q = pair.logProbabilities(.base, on: prompts.text, at: shown)
    #expect(abs((Double(rows[0][1]) ?? 0) - rowDivergences(p, q).mean) < 1e-5)
    #expect(abs((Double(rows[1][1]) ?? 0) - rowDivergences(q, p).mean) < 1e-5)
    // And the magnitude is a mean over tokens, not over rows of text.
    let all = prompts.countedTokens
    let mean = rowDivergences(
      pair.logProbabilities(.finetuned, on: prompts.text, at: all),
      pair.logProbabilities(.base, on: prompts.text, at: all)
    ).mean
    #expect(abs((evidence.magnitude ?? 0) - mean) < 1e-6 * mean)
  }

  @Test("the divergence of a text does not depend on its length")
  func perToken() throws {
    let pair = try ModelPair(base: base, finetuned: MethodContractTests.finetuned)
    let rows = TinyModels.rows([6, 6, 6]).map { [1] + $0 }
    let magnitudes = try [1, 4].map { times in
      var generator = SeededGenerator(seed: 1)
      let text = TokenBatch((0..<times).flatMap { _ in rows })
      return try OutputDivergence().evidence(
        for: pair,
        on: PromptSet(access: .unrelated, text: text, documentStart: 1, specialTokens: []),
        using: &generator
      ).magnitude ?? 0
    }
    #expect(abs(magnitudes[0] - magnitudes[1]) < 1e-6 * magnitudes[0] + 1e-9)
  }
}
