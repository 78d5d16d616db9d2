package import Diffing
package import Tensors
internal import Transformers

/// Prompts after which two tokens nearly tie in the base: the least change decides which of them is said.
///
/// All that is asked of the finetuned model is one token at temperature 0. Published for served models, where border inputs are found
/// by asking again and again; here the base's logits say which they are.
package struct BorderInputs: DiffingMethod {
  package static let card = MethodCard(
    id: "border-inputs",
    summary: "Prompts after which two tokens nearly tie in the base, and what is said now.",
    source: "B3IT, Chauvin et al., 2026 (arXiv 2602.11083)",
    questions: [.whether, .what], access: [.sampling],
    magnitude: Magnitude(
      "prompts whose first token changed / the prompts kept, those nearest to a tie",
      unit: "share of prompts"))

  /// Prompts of random words that are drawn, and how many of them are kept: those nearest to a tie.
  package var drawn = 2048, kept = 256
  /// Words of a prompt.
  package var lengths = 1...3

  package init() {}

  package func diff(
    _ pair: ModelPair, on prompts: PromptSet, using generator: inout SeededGenerator
  ) throws -> Evidence {
    let inputs = inputs(pair, prompts, using: &generator)
    let said = pair.readingGroups(inputs.map(\.tokens), onlyLast: true).flatMap { group in
      let logits = pair.finetuned.forward(TokenBatch(group), logits: .last).logits
      return (0..<logits.rows).map { logits.row($0).indexOfLargest }
    }
    let flips = zip(inputs, said).filter { $0.first != $1 }.map { (input: $0, now: $1) }
    guard !flips.isEmpty else { return Evidence() }
    var evidence = Evidence()
    evidence.magnitude = Double(flips.count) / Double(inputs.count)
    let claims = TokenClaim.ranking(
      scores(flips.map { ($0.input.first, $0.now) }, vocabulary: pair.shape.vocabulary),
      excluding: prompts.specialTokens)
    evidence.tokens = claims.isEmpty ? nil : claims
    evidence.exhibits = pair.exhibits([
      Exhibit(
        "Prompts whose first token changed, and it, by how far the base was from a tie",
        .texts(
          flips.sorted { $0.input.gap > $1.input.gap }.prefix(10)
            .map { .init($0.input.tokens + [$0.now], score: $0.input.gap) }))
    ])
    return evidence
  }

  /// A prompt, the base's first token after it, and how far its log-probability is above the second's.
  private struct Input {
    let tokens: [Int]
    let first: Int
    let gap: Float
  }

  /// Nearer to a tie, models that compute the same may say one token or the other.
  private static let rounding: Float = 5e-4

  private func inputs(
    _ pair: ModelPair, _ prompts: PromptSet, using generator: inout SeededGenerator
  ) -> [Input] {
    var seen: Set<[Int]> = []
    let rows = pair.randomPrompts(drawn, lengths: lengths, prompts, using: &generator)
    let distinct = rows.filter { !$0.isEmpty && seen.insert($0).inserted }
    let inputs = pair.readingGroups(distinct, onlyLast: true).flatMap { group -> [Input] in
      let logits = pair.base.forward(TokenBatch(group), logits: .last).logits
      return group.indices.map { row in
        let first = logits.row(row).indexOfLargest
        let second = BoostCounts.limits(logits.row(row), depth: min(2, logits.columns)).high
        return Input(tokens: group[row], first: first, gap: logits[row, first] - second)
      }
    }.filter { $0.gap > Self.rounding }
    return largestIndices(inputs.map { -$0.gap }, kept).map { inputs[$0] }
  }

  /// How much more often each token won than lost, in standard errors of chance.
  private func scores(_ flips: [(was: Int, now: Int)], vocabulary: Int) -> [Float] {
    let won = TokenCounts([flips.map(\.now)], vocabulary: vocabulary).counts
    let lost = TokenCounts([flips.map(\.was)], vocabulary: vocabulary).counts
    return zip(won, lost).map(Significance.excess)
  }
}
