package import Diffing
package import Tensors
internal import Transformers

/// Whether two models answer alike, from their answers alone: a test that is exact by construction.
///
/// Other methods here draw both models' samples with the same random numbers; a test needs them independent.
package struct TwoSampleTest: DiffingMethod {
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

  package func diff(
    _ pair: ModelPair, on prompts: PromptSet, using generator: inout SeededGenerator
  ) throws -> Evidence {
    let text = prompts.text, count = min(promptCount, text.rows)
    let rows = (0..<count).map { Array(text.row($0 * text.rows / count)) }
    guard count > 0, haveMoved(pair, rows, seed: generator.next()) else { return Evidence() }
    let said = [ModelPair.Side.base, .finetuned].map { side -> [[[Int]]] in
      let asked = rows.flatMap { Array(repeating: $0, count: answers) }
      let all = pair.samples(
        side, SampleRequest(continuing: asked, length: length, seed: generator.next()))
      return rows.indices.map { row in
        all[row * answers..<(row + 1) * answers].map { answer($0, prompts.specialTokens) }
      }
    }
    let test = MaximumMeanDiscrepancy(
      said[0], said[1], permutations: permutations, using: &generator)
    var evidence = Evidence()
    evidence.magnitude = max(0, test.statistic)
    evidence.exhibits = pair.exhibits([exhibit(test, rows)])
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
      "Answers differ: chance \(test.chance) of \(permutations) exchanges; prompts by MMD²",
      .texts(order.prefix(10).map { .init(rows[$0], score: Float(test.byPrompt[$0])) }))
  }
}
