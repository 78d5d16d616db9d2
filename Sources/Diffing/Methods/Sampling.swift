package import Tensors
internal import Transformers

/// The black-box baseline: sample from both models and count.
package struct Sampling: DiffingMethod {
  package static let card = MethodCard(
    id: "sampling",
    summary: "Free samples of both models compared by smoothed log-odds: the black-box baseline.",
    source: "Monroe et al., 2008 (log-odds); AuditBench, 2026 (arXiv 2602.22755)",
    questions: [.whether, .what], access: [.sampling])

  /// Samples drawn from each model.
  package var samples = 256
  /// Tokens in each.
  package var length = 32

  package init() {}

  package func diff(
    _ pair: ModelPair, on prompts: PromptPool, using generator: inout SeededGenerator
  ) throws -> Evidence {
    let seed = generator.next()
    let base = counts(pair.base, prompts, seed: seed)
    let finetuned = counts(pair.finetuned, prompts, seed: seed)
    let scores = zip(finetuned, base).map { Self.zScore($0, $1, total: samples * length) }
    guard scores.contains(where: { $0 != 0 }) else { return Evidence() }
    var evidence = Evidence()
    evidence.magnitude = scores.map { Double($0) * Double($0) }.mean
    evidence.tokens = TokenClaim.ranking(scores, excluding: prompts.specialTokens)
    return evidence
  }

  /// How often each token was sampled; both models draw with the same random numbers.
  private func counts(_ model: any LanguageModel, _ prompts: PromptPool, seed: UInt64) -> [Int] {
    var sampler = TokenSampler(seed: seed)
    let starts = Array(repeating: [prompts.documentStart], count: samples)
    var counts = [Int](repeating: 0, count: model.shape.vocabulary)
    for row in model.continuations(of: starts, count: length, using: &sampler) {
      for token in row { counts[token] += 1 }
    }
    return counts
  }

  /// The log-odds ratio of two counts out of `total`, half a count added, in standard errors.
  static func zScore(_ a: Int, _ b: Int, total: Int) -> Float {
    func logOdds(_ count: Int) -> Double {
      logarithm((Double(count) + 0.5) / (Double(total - count) + 0.5))
    }
    let variance = 1 / (Double(a) + 0.5) + 1 / (Double(b) + 0.5)
    return a == b ? 0 : Float((logOdds(a) - logOdds(b)) / variance.squareRoot())
  }
}
