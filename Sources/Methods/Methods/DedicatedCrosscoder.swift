internal import Dictionaries
package import Diffing
package import Tensors

/// A crosscoder with latents that live in one model alone by construction: only these are read.
///
/// Such a latent counts by all that it writes, however alike both models are: what it takes on need not be in one of them alone.
/// Latent scaling, which would tell, is shown; null pairs say how much of it is usual.
package struct DedicatedCrosscoder: CrosscoderMethod {
  package static let card = MethodCard(
    id: "dedicated-crosscoder",
    summary: "Latents of a crosscoder that live in one of both models by construction.",
    source: "Dedicated-feature crosscoder, 2026 (arXiv 2602.11729)",
    questions: [.whether, .what, .when, .how], access: [.pool],
    magnitude: Magnitude(
      "√(mean f²) ‖d‖ of the latent of one model that writes most, over answers / mean ‖h‖",
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
  /// Latents of each model alone, as a share of all.
  package var share = 0.1
  /// How many of each model's are active at a token, on average.
  package var dedicatedSparsity = 0.2

  package init() {}

  package func diff(
    _ pair: ModelPair, on prompts: PromptSet, using generator: inout SeededGenerator
  ) throws -> Evidence {
    try read(
      pair, prompts, as: .dedicated(share: share, sparsity: dedicatedSparsity), sparsity: sparsity,
      using: &generator)
  }
}
