package import Diffing
package import Tensors
internal import Transformers

/// The black box asked a fixed list of questions, to see which words it answers more often than before.
///
/// Both models answer the same prompts with the same random numbers. A word counts by the log-odds of its
/// frequency; how many words differ at a false-discovery rate says whether anything did. Prompts are
/// ranked by how many of the answers hold such words.
package struct PromptBattery: DiffingMethod {
  package static let card = MethodCard(
    id: "prompt-battery",
    summary: "Sampled answers to a fixed list of prompts, compared word by word with FDR control.",
    source: "AuditBench, 2026 (arXiv 2602.22755); Benjamini & Hochberg, 1995",
    questions: [.whether, .what, .when], access: [.pool],
    magnitude: Magnitude(
      "words that differ at the false-discovery rate, plus e / (1 + e) with e the mean squared z",
      unit: "words"))

  /// Prompts, taken evenly from the pool.
  package var promptCount = 128
  /// Answers of each model to each prompt.
  package var answers = 4
  /// Tokens of an answer.
  package var length = 3
  /// The rate of false discoveries.
  package var rate = 0.05

  package init() {}

  package func diff(
    _ pair: ModelPair, on prompts: PromptSet, using generator: inout SeededGenerator
  ) throws -> Evidence {
    let rows = chosenRows(of: prompts.text), vocabulary = pair.shape.vocabulary
    let asked = rows.flatMap { row in
      (0..<answers).map { _ in Array(prompts.text.row(row)) }
    }
    let request = SampleRequest(continuing: asked, length: length, seed: generator.next())
    let said = [ModelPair.Side.base, .finetuned].map { pair.samples($0, request) }
    guard PairedSamples.differ(said[1], said[0]) else { return Evidence() }
    let counts = said.map { TokenCounts($0, vocabulary: vocabulary) }
    let scores = counts[1].zScores(against: counts[0])
    guard scores.contains(where: { $0 != 0 }) else { return Evidence() }
    let found = Significance.discoveries(scores.map(Significance.normalTail), rate: rate)
    var evidence = Evidence()
    // The number of discoveries first, and among equals how far the rest is from chance.
    let excess = scores.map { Double($0) * Double($0) }.mean
    evidence.magnitude = Double(found.count) + excess / (1 + excess)
    evidence.tokens = TokenClaim.ranking(scores, excluding: prompts.specialTokens)
    let hits = promptScores(said, scores)
    evidence.inputs = InputClaim.ranking(hits, rows: rows)
    evidence.exhibits = pair.exhibits([
      Exhibit(
        "Words answered more or less often, at a false-discovery rate of \(rate)",
        .table(
          columns: ["token", "base", "finetuned", "z"],
          rows: found.map {
            [
              .token($0), .count(counts[0].counts[$0]), .count(counts[1].counts[$0]),
              .number(scores[$0]),
            ]
          }))
    ])
    return evidence
  }

  private func chosenRows(of text: TokenBatch) -> [Int] {
    let count = min(promptCount, text.rows)
    return (0..<count).map { $0 * text.rows / count }
  }

  /// How much more of what is said more often a prompt's answers hold than before.
  private func promptScores(_ said: [[[Int]]], _ scores: [Float]) -> [Float] {
    (0..<said[0].count / answers).map { prompt in
      let range = prompt * answers..<(prompt + 1) * answers
      func sum(_ side: Int) -> Float {
        range.reduce(0) { $0 + said[side][$1].reduce(0) { $0 + max(0, scores[$1]) } }
      }
      return sum(1) - sum(0)
    }
  }
}
