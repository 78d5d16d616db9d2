package import Diffing
package import Tensors
internal import Transformers

/// How far the two models' next-token distributions are apart, and which tokens carry it.
package struct OutputDivergence: DiffingMethod {
  package static let card = MethodCard(
    id: "output-divergence",
    summary: "KL divergence of next-token distributions, and the probability it moves.",
    source: "Minder et al., 2025 (arXiv 2510.13900, diffing toolkit)",
    questions: [.whether, .what, .when], access: [.unrelated, .pool],
    magnitude: Magnitude(
      "mean Jensen-Shannon divergence of the next-token distributions",
      unit: "nats"))

  /// The share of tokens, those with the largest divergence, whose probabilities are compared.
  package var share = 0.1
  /// Rows of running text whose further statistics are shown.
  package var shownRows = 32

  package init() {}

  package func diff(
    _ pair: ModelPair, on prompts: PromptSet, using generator: inout SeededGenerator
  ) throws -> Evidence {
    let indices = prompts.answerIndices
    let base = pair.logProbabilities(.base, on: prompts.text, at: indices)
    let finetuned = pair.logProbabilities(.finetuned, on: prompts.text, at: indices)
    let byToken = rowDivergences(finetuned, base)
    // Models that compute the same differ by some 10⁻⁷ nats.
    guard byToken.contains(where: { $0 > 1e-5 }) else { return Evidence() }
    var evidence = Evidence()
    evidence.magnitude = byToken.mean
    evidence.tokens = TokenClaim.ranking(
      movedProbability(base, finetuned, byToken), excluding: prompts.specialTokens)
    if prompts.access == .pool { evidence.inputs = InputClaim.ranking(byToken.map(Float.init)) }
    evidence.exhibits = pair.exhibits([
      statistics(prompts.text, indices, base, finetuned),
      Exhibit.strip(
        "Where the answers differ most, KL in nats", byToken.map(Float.init), at: indices,
        of: prompts.text),
    ])
    return evidence
  }

  /// The mean change of each token's probability where the models disagree most.
  private func movedProbability(_ base: Tensor, _ finetuned: Tensor, _ byToken: [Double]) -> [Float]
  {
    let count = max(1, Int(Double(byToken.count) * share))
    let rows = largestIndices(byToken, count)
    return
      (finetuned.rows(at: rows).exponentials - base.rows(at: rows).exponentials).meanRow.scalars
  }
}

extension OutputDivergence {
  /// Further statistics of the same distributions.
  private func statistics(
    _ text: TokenBatch, _ indices: [Int], _ base: Tensor, _ finetuned: Tensor
  ) -> Exhibit {
    let end = text.starts[min(shownRows, text.rows)]
    let shown = indices.indices.filter { indices[$0] < end }
    let p = finetuned.rows(at: shown), q = base.rows(at: shown)
    let comparison = RowComparison(p, q)
    let ends = Set(text.lastIndices)
    let losses = shown.indices.compactMap { row -> Double? in
      let index = indices[shown[row]]
      guard !ends.contains(index) else { return nil }
      let next = text.tokens[index + 1]
      return Double(q[row, next] - p[row, next])
    }
    // In a pool nothing follows the answers.
    let lossRow: [[Exhibit.Cell]] =
      losses.isEmpty
      ? [] : [["loss on the text, finetuned minus base", .number(Float(losses.mean))]]
    let flips = (0..<p.rows).filter { p.row($0).indexOfLargest != q.row($0).indexOfLargest }.count
    return Exhibit(
      "Divergence of the answers, means in nats\(Exhibit.reading(shownRows, of: text.rows, "rows"))",
      .table(
        columns: ["statistic", "value"],
        rows: [
          ["KL(finetuned, base)", .number(Float(comparison.forward.mean))],
          ["KL(base, finetuned)", .number(Float(comparison.reverse.mean))],
          ["Jensen-Shannon", .number(Float(comparison.jensenShannon.mean))],
          ["change of entropy", .number(Float(comparison.entropyChange.mean))],
        ] + lossRow + [
          ["share of first tokens that changed", .number(Float(flips) / Float(max(1, p.rows)))]
        ]))
  }
}
