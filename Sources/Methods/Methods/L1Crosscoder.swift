internal import Dictionaries
package import Diffing
package import Tensors

/// The first crosscoders: sparse because activity is paid for.
///
/// Read as the crosscoder that replaced it is, so that all that differs is how latents were learnt. How many are active is what comes of
/// the penalty, which is one figure for activations of all widths.
package struct L1Crosscoder: CrosscoderMethod {
  package static let card = MethodCard(
    id: "l1-crosscoder",
    summary: "Latents that a crosscoder by L1, the original, writes differently into each model.",
    source: "Lindsey et al., 2024",
    questions: [.whether, .what, .when, .how], access: [.pool],
    magnitude: Magnitude(
      "√(mean f²) ‖dᶠ − dᵇ‖ of the latent that changed most, over answers / mean ‖h‖",
      unit: "share of the stream's norm"))

  /// After which block, as a share of the depth.
  package var depth = 1.0
  /// Latents for each number of an activation of one model.
  package var expansion = 4
  package var steps = 400
  /// Tokens of a step.
  package var batch = 256
  /// Latents that are read.
  package var read = 3
  /// What Σ f Σ ‖d‖ costs, of normalised activations.
  package var penalty: Float = 1

  package init() {}

  package func diff(
    _ pair: ModelPair, on prompts: PromptSet, using generator: inout SeededGenerator
  ) throws -> Evidence {
    // What is paid for is sparse by itself.
    try read(pair, prompts, as: .l1(penalty: penalty), sparsity: 0, using: &generator)
  }
}
