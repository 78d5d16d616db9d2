package import Diffing
package import Tensors
internal import Transformers

/// Whether two models answer alike, from their answers alone: a test that is exact by construction.
///
/// Other methods here draw both models' samples with the same random numbers; a test needs them independent.
package struct TwoSampleTest: AnswerMethod {
  package static let card = MethodCard(
    id: "two-sample-test",
    summary: "Maximum mean discrepancy of sampled answers, exchanged among those of each prompt.",
    source: "Gao et al., 2024 (model equality testing, arXiv 2410.20247)",
    questions: [.whether], access: [.pool],
    magnitude: Magnitude(
      "mean over prompts of the unbiased MMD² of answers, the kernel the share of places with the same token; at least 0",
      unit: "squared discrepancy"))

  /// Prompts, taken evenly from the pool.
  package var promptCount = 25
  /// Answers of each model to each prompt, and tokens of an answer.
  package var answers = 10, length = 12
  /// Draws that the statistic is compared with.
  package var permutations = 1000

  package init() {}

  package var plan: AnswerPlan {
    AnswerPlan(prompts: promptCount, answers: answers, length: length)
  }

  package func diff(
    _ pair: ModelPair, on prompts: PromptSet, using generator: inout SeededGenerator
  ) throws -> Evidence {
    let rows = plan.rows(of: prompts.text.rows), asked = rows.map { Array(prompts.text.row($0)) }
    guard !rows.isEmpty, haveMoved(pair, asked, seed: generator.next()) else { return Evidence() }
    func said(_ side: ModelPair.Side) -> [[[Int]]] {
      plan.answers(of: pair, side, to: asked, seed: generator.next())
        .map { $0.map { answer($0, prompts.specialTokens) } }
    }
    var evidence = evidence(
      of: PairedAnswers(
        of: pair, prompts, rows: rows, base: said(.base), finetuned: said(.finetuned)),
      using: &generator)
    evidence.exhibits = pair.exhibits(evidence.exhibits)
    return evidence
  }

  package func evidence(of answers: PairedAnswers, using generator: inout SeededGenerator)
    -> Evidence
  {
    let test = MaximumMeanDiscrepancy(
      answers.base, answers.finetuned, permutations: permutations, using: &generator)
    var evidence = Evidence()
    evidence.magnitude = max(0, test.statistic)
    evidence.exhibits = [exhibit(test, answers.prompts)]
    return evidence
  }

  /// Whether the models differ at all: independent samples of one model differ too.
  private func haveMoved(_ pair: ModelPair, _ rows: [[Int]], seed: UInt64) -> Bool {
    let request = SampleRequest(continuing: rows, length: length, seed: seed)
    return PairedSamples.differ(pair.samples(.finetuned, request), pair.samples(.base, request))
  }

  /// A sample up to where the answer ends.
  private func answer(_ sample: [Int], _ ends: Set<Int>) -> [Int] {
    Array(sample.prefix { !ends.contains($0) })
  }

  private func exhibit(_ test: MaximumMeanDiscrepancy, _ rows: [[Int]]) -> Exhibit {
    let order = test.byPrompt.indices.sorted { test.byPrompt[$0] > test.byPrompt[$1] }
    return Exhibit(
      "Exchanges that are as large: \(test.larger) of \(permutations), p = \(Float(test.chance)); prompts by MMD²",
      .texts(order.prefix(10).map { .init(rows[$0], score: Float(test.byPrompt[$0])) }))
  }
}
