internal import Dictionaries
package import Diffing
package import Tensors
internal import Transformers

/// One dictionary of both models' residual streams: what a latent writes in one of them and not in the other.
///
/// Latents of one model alone do not appear in pairs as close as these: a lean from ½ is small even where a latent is all
/// that was planted. So a latent counts by how much its direction changed, dᶠ − dᵇ, times its energy at the tokens after
/// which an answer is read; leans and latent scaling are shown. What the latents explain of the models' difference is
/// measured by exchanging them: the finetuned model goes on from the base's stream plus the constant part and Σ f (dᶠ − dᵇ).
package struct Crosscoder: CrosscoderMethod {
  package static let card = MethodCard(
    id: "crosscoder",
    summary: "Latents that one dictionary of both models writes differently into each.",
    source:
      "Lindsey et al., 2024; BatchTopK and latent scaling: Minder et al., 2025 (arXiv 2504.02922)",
    questions: [.whether, .what, .when, .how], access: [.unrelated, .pool],
    magnitude: Magnitude(
      "√(mean f²) ‖dᶠ − dᵇ‖ of the latent that changed most, over answers / mean ‖h‖",
      unit: "share of the stream's norm"))

  /// After which block, as a share of the depth.
  package var depth = 1.0
  /// Latents for each number of an activation of one model.
  package var expansion = 4
  /// Active latents of a token, on average.
  package var sparsity = 8
  package var steps = 400
  /// Tokens of a step.
  package var batch = 256
  /// Latents that are read.
  package var read = 3

  package init() {}

  package func diff(
    _ pair: ModelPair, on prompts: PromptSet, using generator: inout SeededGenerator
  ) throws -> Evidence {
    try read(
      pair, prompts, as: .batchTopK, sparsity: sparsity, using: &generator)
  }
}
