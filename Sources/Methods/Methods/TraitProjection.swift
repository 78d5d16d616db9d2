package import Diffing
package import Tensors
internal import Transformers

/// The mean difference projected on directions of traits, which contrastive prompts give in the base.
///
/// Published are directions between answers under instructions to show a trait and not to. A trait of a model this size is a word
/// that is on its mind: its direction is what changes in the base's stream on the same texts if that word, and not another, is mentioned
/// at their beginning; behind it in running text, at the end of a prompt.
package struct TraitProjection: DiffingMethod {
  package static let card = MethodCard(
    id: "trait-projection",
    summary: "The mean difference along what mentioning each word changes in the base.",
    source: "persona vectors (Chen et al., 2025, arXiv 2507.21509)",
    questions: [.whether, .what, .how], access: [.unrelated, .pool],
    magnitude: Magnitude(
      "largest ∣⟨mean of h′ − h, d⟩∣ / (‖d‖ mean ‖h‖) over the traits' directions d",
      unit: "share of the stream's norm"))

  /// After which block, as a share of the depth.
  package var depth = 1.0
  /// Texts that a word is mentioned in, and tokens of each; prompts are read whole.
  package var texts = 4, length = 6
  /// Words at most, a quarter of them in large models: of a larger vocabulary those that the text says most often.
  package var words = 1024

  package init() {}

  package func diff(
    _ pair: ModelPair, on prompts: PromptSet, using generator: inout SeededGenerator
  ) throws -> Evidence {
    guard let difference = MeanDifference.atAnswers(pair, prompts, depth: depth) else {
      return Evidence()
    }
    let norm = difference.activationNorm, request = request(pair, prompts, difference.site)
    let traits = pair.recorded(.base, request), lengths = traits.rowNorms
    let along = matrixProduct(traits, difference.vector.reshaped([pair.shape.width, 1])).scalars
    let shares = zip(along, lengths)
      .map { $1 > Decoding.rounding * norm ? $0 / $1 / norm : 0 }
    guard let first = shares.indices.max(by: { shares[$0] < shares[$1] }),
      shares.contains(where: { $0 != 0 })
    else { return Evidence() }
    var scores = [Float](repeating: 0, count: pair.shape.vocabulary)
    for (word, share) in zip(request.words, shares) { scores[word] = share }
    var evidence = Evidence()
    evidence.magnitude = shares.map { Double(abs($0)) }.max()
    let claims = TokenClaim.ranking(scores, excluding: prompts.specialTokens)
    evidence.tokens = claims
    if shares[first] > 0 {
      evidence.interventions = Decoding.steering(
        layer: difference.layer, Tensor(Array(traits.row(first))), activationNorm: norm
      ).map { [$0] }
    }
    evidence.exhibits = pair.exhibits([
      .words(
        "Words whose mention moves the base as finetuning did, shares of the stream", claims,
        "along")
    ])
    return evidence
  }

  private func request(_ pair: ModelPair, _ prompts: PromptSet, _ site: ActivationSite)
    -> TraitRequest
  {
    let text = prompts.text, count = min(max(1, texts), text.rows), all = pair.words(prompts)
    let most = pair.fewerIfLarge(words)
    let said = TokenCounts([text.tokens], vocabulary: pair.shape.vocabulary).counts
    let isPool = prompts.access == .pool
    return TraitRequest(
      site: site,
      words: all.count > most ? largestIndices(all.map { said[$0] }, most).map { all[$0] } : all,
      texts: (0..<count).map { place in
        let row = text.row(place * text.rows / count)
        return Array(isPool ? row : row.prefix(1 + length))
      }, onlyLast: isPool)
  }
}

/// What each word's mention behind the first token of some texts changes in a model's stream, less what all have in common.
private struct TraitRequest: RecordingKey {
  let site: ActivationSite
  let words: [Int]
  let texts: [[Int]]
  /// Whether the last token of each text counts alone.
  let onlyLast: Bool

  var tokens: Int { words.count * texts.reduce(0) { $0 + 1 + $1.count } }

  /// Directions shaped `[words, width]`.
  func record(_ model: any LanguageModel) -> Tensor {
    let means = stride(from: 0, to: words.count, by: 64).flatMap { first in
      self.means(model, Array(words[first..<min(first + 64, words.count)]))
    }
    let traits = Tensor(shape: [words.count, model.shape.width], scalars: means)
    return traits.addingToRows(traits.meanRow, scaled: -1)
  }

  /// The mean stream behind each word.
  private func means(_ model: any LanguageModel, _ words: [Int]) -> [Float] {
    let text = TokenBatch(
      words.flatMap { word in texts.map { $0.prefix(1) + [word] + $0.dropFirst() } })
    let behind = words.indices.map { place in
      (place * texts.count..<(place + 1) * texts.count).flatMap { row in
        let range = text.range(row)
        return Array(onlyLast ? range.suffix(1) : range.dropFirst(2))
      }
    }
    let stream = model.forward(text, recording: [site], logits: .none)[site]
    return stream.means(of: behind).scalars
  }
}
