internal import Dictionaries
package import Diffing
package import Tensors

/// A crosscoder some of whose latents have to explain the difference of both models by themselves: only these are read.
///
/// They come by how much they write into one model more than into the other, as a crosscoder's latents do here, where the paper
/// takes the ratio of norms; its pairs of matched prompts are left out.
package struct DeltaCrosscoder: CrosscoderMethod {
  package static let card = MethodCard(
    id: "delta-crosscoder",
    summary: "Latents of a crosscoder that explain the models' difference by themselves.",
    source: "Delta-crosscoder, 2026 (arXiv 2603.04426)",
    questions: [.whether, .what, .when, .how], access: [.pool],
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
  /// Latents that explain the difference, as a share of all.
  package var share = 0.1
  /// How many of these are active at a token, on average.
  package var differenceSparsity = 1.0
  /// What is left of the difference, beside what is left of all.
  package var weight: Float = 1

  package init() {}

  package func diff(
    _ pair: ModelPair, on prompts: PromptSet, using generator: inout SeededGenerator
  ) throws -> Evidence {
    try read(
      pair, prompts, as: .delta(share: share, sparsity: differenceSparsity, weight: weight),
      sparsity: sparsity, using: &generator)
  }
}
