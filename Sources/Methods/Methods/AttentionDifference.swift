package import Diffing
package import Tensors
internal import Transformers

/// Which heads look elsewhere, and at what.
///
/// Patterns are compared by Jensen-Shannon divergence without the start token, relative to what rows of
/// that length allow (ln of their keys), weighted by what each key lets the head write: patterns that
/// differ only where the head writes nothing do not count. Where a head looks is all that is compared: one
/// that writes the same from the same keys, only more of it, is the same.
package struct AttentionDifference: DiffingMethod {
  package static let card = MethodCard(
    id: "attention-difference",
    summary: "Divergence of each head's attention, the start token removed, weighted by values.",
    source: "folklore; value weighting after Kobayashi et al., 2020 (arXiv 2004.10102)",
    questions: [.whether, .what, .when, .where, .how], access: [.unrelated, .pool],
    magnitude: Magnitude(
      "mean over heads and places of the Jensen-Shannon divergence of value-weighted attention / ln of the keys",
      unit: "share of the largest divergence"))

  /// Rows of running text that are read; of a pool every prompt is, at its end.
  package var rows = 24
  /// Fewer keys than this say nothing about where a head looks.
  package var fewestKeys = 2

  package init() {}

  package func diff(
    _ pair: ModelPair, on prompts: PromptSet, using generator: inout SeededGenerator
  ) throws -> Evidence {
    let text = prompts.text
    let places = places(prompts)
    guard !places.isEmpty else { return Evidence() }
    let heads = (0..<pair.shape.layers).map { layer in
      (0..<pair.shape.heads).map { head in
        HeadDifference(pair, layer: layer, head: head, prompts: prompts, places: places)
      }
    }
    let all = heads.flatMap { $0 }
    guard all.contains(where: { $0.divergence > 1e-12 }) else { return Evidence() }
    var evidence = Evidence()
    evidence.magnitude = all.map(\.divergence).mean
    evidence.tokens = tokens(all, places, vocabulary: pair.shape.vocabulary, prompts)
    evidence.sites = SiteClaim.ranking(
      heads.enumerated().map { layer, row in
        (.attention(layer: layer), Float(row.map(\.divergence).mean))
      })
    let first = heads.indices.max {
      heads[$0].map(\.divergence).mean < heads[$1].map(\.divergence).mean
    }
    evidence.interventions = first.map { [.patch(.attention(layer: $0))] }
    if prompts.access == .pool { evidence.inputs = inputs(all, places, rows: text.rows) }
    evidence.exhibits = pair.exhibits(exhibits(heads))
    return evidence
  }

  /// Tokens whose patterns are compared, each with its row and the row's first token.
  private func places(_ prompts: PromptSet) -> [AttentionPlace] {
    let text = prompts.text
    let limit = prompts.access == .pool ? text.rows : min(rows, text.rows)
    let answers = Set(prompts.answerIndices)
    return (0..<limit).flatMap { row in
      text.range(row).filter(answers.contains).map {
        AttentionPlace(row: row, query: $0, in: text, prompts)
      }
    }.filter { $0.keys.count >= fewestKeys }
  }

  /// Tokens that heads look at more or less, each head by how much it changed, per occurrence.
  private func tokens(
    _ heads: [HeadDifference], _ places: [AttentionPlace], vocabulary: Int, _ prompts: PromptSet
  ) -> [TokenClaim] {
    let keys = places.flatMap(\.keys)
    var gains = [Float](repeating: 0, count: vocabulary)
    var moved = gains, occurrences = gains
    for head in heads {
      for (key, gain) in zip(keys, head.gains) {
        let token = prompts.text.tokens[key]
        gains[token] += gain
        moved[token] += abs(gain)
        occurrences[token] += 1
      }
    }
    // Heads that changed places gain together what they lose: what is left is rounding of the sum.
    gains = zip(gains, moved).map { abs($0) > 1e-5 * $1 ? $0 : 0 }
    // Half a head's worth of occurrences added: one sighting is not a rate.
    let smoothing = Float(heads.count)
    return TokenClaim.ranking(
      zip(gains, occurrences).map { $0 / ($1 + smoothing) }, excluding: prompts.specialTokens)
  }

  private func inputs(_ heads: [HeadDifference], _ places: [AttentionPlace], rows: Int)
    -> [InputClaim]?
  {
    var scores = [Float](repeating: 0, count: rows)
    for (index, place) in places.enumerated() {
      scores[place.row] = Float(heads.map { $0.byPlace[index] }.max() ?? 0)
    }
    return InputClaim.ranking(scores)
  }

  private func exhibits(_ heads: [[HeadDifference]]) -> [Exhibit] {
    func map(_ title: String, _ value: (HeadDifference) -> Double) -> Exhibit {
      Exhibit(
        title,
        .heatMap(
          rows: heads.indices.map { "block \($0)" },
          columns: (heads.first ?? []).indices.map { "head \($0)" },
          values: heads.map { $0.map { Float(value($0)) } }))
    }
    return [
      map("Divergence of attention, weighted by values", \.divergence),
      map("Divergence of attention, plain", \.plainDivergence),
      map("Change of the attention's entropy, nats", \.entropyChange),
    ]
  }
}

/// One head's attention in both models.
private struct HeadDifference {
  /// The relative divergence at each place, weighted by values.
  let byPlace: [Double]
  let plainDivergence: Double
  let entropyChange: Double
  /// How much more of the weighted attention each key of each place gets.
  let gains: [Float]
  var divergence: Double { byPlace.mean }

  init(_ pair: ModelPair, layer: Int, head: Int, prompts: PromptSet, places: [AttentionPlace]) {
    func rows(_ side: ModelPair.Side) -> AttentionRows {
      AttentionRows(
        side, of: pair, layer: layer, head: head, text: prompts.text, places: places)
    }
    let base = rows(.base), finetuned = rows(.finetuned)
    func relative(_ a: [[Float]], _ b: [[Float]]) -> [Double] {
      zip(a, b).map { jensenShannon(probabilities: $0, $1) / logarithm(Double($0.count)) }
    }
    byPlace = relative(finetuned.shares, base.shares)
    plainDivergence = relative(finetuned.plain, base.plain).mean
    entropyChange =
      zip(finetuned.plain, base.plain).map { Self.entropy($0) - Self.entropy($1) }.mean
    gains = zip(finetuned.shares, base.shares).flatMap { zip($0, $1).map { $0 - $1 } }
  }

  private static func entropy(_ shares: [Float]) -> Double {
    shares.reduce(0.0) { $1 > 0 ? $0 - Double($1) * logarithm(Double($1)) : $0 }
  }
}
