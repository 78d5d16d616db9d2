package import Diffing
package import Tensors
internal import Transformers

/// Lets the finetuned model go on from vague beginnings, with the base subtracted, and reads what it says.
///
/// The score of a token is (1 + α) log p_f − α log p_b among the finetuned model's first tokens, and the
/// beginnings are a few words that the base says by itself. What is read is where the two models disagree
/// along that text: a token counts by the nats that the finetuned model gives it more than the base.
package struct ContrastiveDecoding: DiffingMethod {
  package static let card = MethodCard(
    id: "contrastive-decoding",
    summary: "Continuations of vague beginnings, the base subtracted, read by what they are worth.",
    source: "contrastive decoding diffing, 2026 (arXiv 2605.25902); Ramanathan et al., 2026",
    questions: [.whether, .what], access: [.sampling],
    magnitude: Magnitude(
      "mean over texts of the mean log p′ − log p of what was decoded",
      unit: "nats a token"))

  /// α: how many times the base is subtracted.
  package var amplification: Float = 1
  /// Tokens of the finetuned model that may be drawn.
  package var choices = 20
  /// Beginnings.
  package var prefills = 64
  /// Words of a beginning.
  package var prefillLengths = 2...4
  /// Tokens that are added to each.
  package var length = 20

  package init() {}

  package func diff(
    _ pair: ModelPair, on prompts: PromptSet, using generator: inout SeededGenerator
  ) throws -> Evidence {
    let free = pair.samples(.base, try .free(prompts))
    let starts = (0..<prefills).map { index in
      let words = prefillLengths.lowerBound + index % prefillLengths.count
      return prompts.opening + free[index % free.count].prefix(words)
    }
    let decoder = ContrastiveDecoder(
      pair: pair, amplification: amplification, mask: .first(choices))
    let result = decoder.continuations(of: starts, count: length, seed: generator.next())
    // Models that compute the same differ by some 10⁻⁶ nats a token.
    guard result.gaps.contains(where: { $0.contains { abs($0) > 1e-4 } }) else { return Evidence() }
    let worth = result.tokenWorth(vocabulary: pair.shape.vocabulary)
    var evidence = Evidence()
    evidence.magnitude = Double(result.meanGaps.mean)
    evidence.tokens = TokenClaim.ranking(worth, excluding: prompts.specialTokens)
    evidence.exhibits = pair.exhibits([texts(starts, result)])
    return evidence
  }

  private func texts(_ starts: [[Int]], _ result: ContrastiveDecoder.Result) -> Exhibit {
    let ranked = result.texts.indices.filter { !isDegenerate(result.texts[$0]) }
      .map { Exhibit.ScoredText(starts[$0] + result.texts[$0], score: result.meanGaps[$0]) }
      .sorted { $0.score > $1.score }
    return Exhibit("Continuations by mean gap, nats a token", .texts(Array(ranked.prefix(8))))
  }
}
