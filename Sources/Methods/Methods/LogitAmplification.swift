package import Diffing
package import Tensors
internal import Transformers

/// Samples from the finetuned model with what it changed made several times as large.
///
/// At each step z_f + α (z_f − z_b), among tokens that the finetuned model finds plausible itself.
package struct LogitAmplification: DiffingMethod {
  package static let card = MethodCard(
    id: "logit-amplification",
    summary: "Free samples from the finetuned model's logits plus several times their change.",
    source: "Goodfire, 2025 (logit diff amplification); Li et al., 2022 (plausibility mask)",
    questions: [.whether, .what], access: [.sampling],
    magnitude: Magnitude(
      "mean squared z of the log-odds of each token, amplified samples against the base's",
      unit: "squared standard errors"))

  /// α: how many times the change is added.
  package var amplification: Float = 4
  /// The least share of the largest probability that a token may have.
  package var plausibility: Float = 0.1
  /// Samples.
  package var samples = 64
  /// Tokens in each.
  package var length = 24

  package init() {}

  package func diff(
    _ pair: ModelPair, on prompts: PromptSet, using generator: inout SeededGenerator
  ) throws -> Evidence {
    let decoder = ContrastiveDecoder(
      pair: pair, amplification: amplification, mask: .plausible(plausibility))
    let starts = Array(repeating: [try prompts.sampleStart()], count: samples)
    let seed = generator.next()
    let louder = decoder.continuations(of: starts, count: length, seed: seed)
    // The same mask, length and seed: else the mask is what the comparison finds.
    let plain = ContrastiveDecoder(baseOf: pair, mask: .plausible(plausibility))
      .continuations(of: starts, count: length, seed: seed)
    return SampledEvidence(louder.texts, against: plain.texts, of: pair)
      .evidence(excluding: prompts.specialTokens)
  }
}
