package import Tensors
internal import Transformers

/// How far the two models' next-token distributions are apart, and which tokens carry it.
package struct OutputDivergence: DiffingMethod {
  package static let card = MethodCard(
    id: "output-divergence",
    summary: "KL divergence of next-token distributions, and the probability it moves.",
    source: "Minder et al., 2025 (arXiv 2510.13900, diffing toolkit)",
    questions: [.whether, .what, .when], access: [.unrelated, .pool])

  /// The share of tokens, those with the largest divergence, whose probabilities are compared.
  package var share = 0.1

  package init() {}

  package func diff(
    _ pair: ModelPair, on prompts: PromptPool, using generator: inout SeededGenerator
  ) throws -> Evidence {
    // A prompt is answered at its end; running text is predicted everywhere.
    let indices = prompts.access == .pool ? prompts.text.lastIndices : prompts.countedTokens
    let base = pair.logProbabilities(.base, on: prompts.text, at: indices)
    let finetuned = pair.logProbabilities(.finetuned, on: prompts.text, at: indices)
    let byToken = (0..<indices.count).map { max(0, divergence(finetuned.row($0), base.row($0))) }
    guard byToken.contains(where: { $0 > 1e-10 }) else { return Evidence() }
    var evidence = Evidence()
    evidence.magnitude = byToken.mean
    evidence.tokens = TokenClaim.ranking(
      movedProbability(base, finetuned, byToken), excluding: prompts.specialTokens)
    if prompts.access == .pool { evidence.inputs = InputClaim.ranking(byToken.map(Float.init)) }
    evidence.exhibits = [
      Exhibit(
        title: "Divergence", columns: ["statistic", "nats"],
        rows: [["mean KL", "\(byToken.mean)"], ["largest KL", "\(byToken.max() ?? 0)"]])
    ]
    return evidence
  }

  /// The mean change of each token's probability where the models disagree most.
  private func movedProbability(_ base: Tensor, _ finetuned: Tensor, _ byToken: [Double]) -> [Float]
  {
    let count = max(1, Int(Double(byToken.count) * share))
    let top = byToken.indices.sorted { (byToken[$0], -$0) > (byToken[$1], -$1) }.prefix(count)
    let rows = Array(top).sorted()
    return
      (finetuned.rows(at: rows).map(exponential) - base.rows(at: rows).map(exponential)).meanRow
      .scalars
  }
}
