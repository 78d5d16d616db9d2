package import Diffing
package import Tensors
internal import Transformers

/// Which tokens are boosted again and again, over all positions of a text.
///
/// At each position the logits' change is centred over the vocabulary and its first and last few tokens
/// are counted. A token that is merely volatile is among the last as often as among the first, so a token
/// counts by the difference in standard errors. Factors of the positive part show topics.
package struct DiffMining: DiffingMethod {
  package static let card = MethodCard(
    id: "diff-mining",
    summary: "Tokens among the most boosted of many positions, and their topics.",
    source: "diff mining, ICLR 2026 workshop (OpenReview 10019308)",
    questions: [.whether, .what, .when], access: [.unrelated, .pool],
    magnitude: Magnitude(
      "mean |change of logit| of the 20 tokens that are boosted or lowered most often",
      unit: "logits"))

  /// Tokens counted at each position: about 1 % of a small vocabulary.
  package var depth = 8
  /// Topics that the boosted tokens are factored into.
  package var topics = 3
  /// Rounds of the factorisation.
  package var rounds = 50
  /// Positions that are factored.
  package var topicPositions = 256

  package init() {}

  package func diff(
    _ pair: ModelPair, on prompts: PromptSet, using generator: inout SeededGenerator
  ) throws -> Evidence {
    let indices = prompts.answerIndices
    let base = pair.logits(.base, on: prompts.text, at: indices)
    let finetuned = pair.logits(.finetuned, on: prompts.text, at: indices)
    let mine = BoostCounts(finetuned - base, depth: depth)
    guard mine.isChanged else { return Evidence() }
    var evidence = Evidence()
    let claims = TokenClaim.ranking(mine.scores, excluding: prompts.specialTokens)
    evidence.tokens = claims
    let first = Array(claims.prefix(20)), top = first.map(\.token)
    guard !top.isEmpty else { return Evidence() }
    // Counts do not grow with the change; what the counted tokens gained or lost does.
    evidence.magnitude = Double(top.map { abs(mine.mean[$0]) }.mean)
    if prompts.access == .pool { evidence.inputs = InputClaim.ranking(mine.movement(of: first)) }
    evidence.exhibits = pair.exhibits([
      Exhibit(
        "Tokens by how often they are among the \(depth) most boosted",
        .table(
          columns: ["token", "first, %", "last, %", "mean change", "z"],
          rows: top.map { token in
            let share = 100 / Float(indices.count)
            return [
              .token(token), .number(Float(mine.first[token]) * share),
              .number(Float(mine.last[token]) * share), .number(mine.mean[token]),
              .number(mine.scores[token]),
            ]
          })),
      topicExhibit(mine, prompts, &generator),
    ])
    return evidence
  }

  private func topicExhibit(
    _ mine: BoostCounts, _ prompts: PromptSet, _ generator: inout SeededGenerator
  ) -> Exhibit {
    let factors = Factorisation(
      mine.boosted(positions: topicPositions), topics: topics, rounds: rounds, using: &generator)
    return Exhibit(
      "Topics among boosted tokens"
        + Exhibit.reading(topicPositions, of: prompts.answerIndices.count, "places"),
      .tokens(
        (0..<topics).map { topic in
          let claims = TokenClaim.ranking(
            Array(factors.right.row(topic)), excluding: prompts.specialTokens)
          return .init("topic \(topic)", Decoding.top(claims))
        }))
  }
}
