package import Diffing
package import Tensors
internal import Transformers

/// Lets the finetuned model talk after random words, and reads the texts that surprise the base most.
///
/// The score of a text is (log p_f − log p_b) a token. Repetitions have large gaps for no reason, and the
/// same text counts once, so both are dropped first.
package struct PerplexityGap: DiffingMethod {
  package static let card = MethodCard(
    id: "perplexity-gap",
    summary: "What the finetuned model says after random words, ranked by the base's surprise.",
    source: "2026 (arXiv 2605.00994)",
    questions: [.whether, .what], access: [.sampling],
    magnitude: Magnitude(
      "mean log p′ − log p per token over the tenth of texts with the largest gaps",
      unit: "nats a token"))

  /// Texts that are drawn.
  package var samples = 128
  /// Random words before each.
  package var prefixLengths = 1...3
  /// Tokens in each.
  package var length = 16
  /// The share of the texts that are read, those with the largest gaps.
  package var share = 0.1

  package init() {}

  package func diff(
    _ pair: ModelPair, on prompts: PromptSet, using generator: inout SeededGenerator
  ) throws -> Evidence {
    let vocabulary = pair.shape.vocabulary
    let starts = pair.randomPrompts(
      samples, lengths: prefixLengths, prompts, using: &generator)
    let decoder = ContrastiveDecoder(pair: pair, amplification: 0, mask: .none)
    let result = decoder.continuations(of: starts, count: length, seed: generator.next())
    let ranked = ranked(result)
    let top = ranked.prefix(max(1, Int(share * Double(samples))))
    // Models that compute the same differ by some 10⁻⁶ nats; and without other texts nothing stands out.
    guard let first = ranked.first, first.score > 1e-5, ranked.count > top.count else {
      return Evidence()
    }
    var evidence = Evidence()
    evidence.magnitude = Double(top.map(\.score).mean)
    evidence.tokens = TokenClaim.ranking(
      TokenCounts(top.map(\.tokens), vocabulary: vocabulary)
        .zScores(
          against: TokenCounts(ranked.dropFirst(top.count).map(\.tokens), vocabulary: vocabulary)),
      excluding: prompts.specialTokens)
    evidence.exhibits = pair.exhibits([
      Exhibit("Texts by gap, nats a token", .texts(Array(ranked.prefix(8))))
    ])
    return evidence
  }

  /// Texts that are neither repetitive nor said before, the largest gap first.
  private func ranked(_ result: ContrastiveDecoder.Result) -> [Exhibit.ScoredText] {
    var seen: Set<[Int]> = []
    return zip(result.texts, result.meanGaps)
      .filter { !isDegenerate($0.0) && seen.insert($0.0).inserted }
      .map { Exhibit.ScoredText($0.0, score: $0.1) }
      .sorted { $0.score > $1.score }
  }
}
