internal import Dictionaries
package import Diffing
package import Tensors
internal import Transformers

/// Neurons of the base's MLP that the finetuned model uses more, steered one by one: what a dictionary's latents have to beat.
///
/// Neurons are taken as they are and read just as `sae-latents` reads the latents of an autoencoder: candidates are those
/// that grew more than chance allows, and they come in the order of how much steering along what they write is like what
/// finetuning did. Of a change of the output matrix alone neurons know nothing, nor is there anything to read where
/// what they write is normed before it is added to the stream.
package struct NeuronDifference: DiffingMethod {
  package static let card = MethodCard(
    id: "neuron-difference",
    summary: "Neurons that grew, steered one by one: the baseline of every dictionary.",
    source: "MIB, Mueller et al., 2025 (arXiv 2504.13151)",
    questions: [.whether, .what, .when, .how], access: [.unrelated, .pool],
    magnitude: Magnitude(
      "mean |a′ − a| ‖w‖ of the neuron that changed most / mean ‖h‖, over tokens",
      unit: "share of the stream's norm"))

  /// After which block, as a share of the depth.
  package var depth = 1.0
  /// Neurons that are steered.
  package var candidates = 10
  /// Neurons that are read.
  package var read = 3
  /// Rows of the text on which steering is measured.
  package var rows = 12
  /// Draws that each neuron's growth is compared with.
  package var signFlips = 1000

  package init() {}

  package func diff(
    _ pair: ModelPair, on prompts: PromptSet, using generator: inout SeededGenerator
  ) throws -> Evidence {
    let streams = try CountedStreams(pair, prompts, depth: depth, method: Self.card.id)
    guard streams.haveMoved, let neurons = NeuronActivations(pair, prompts, streams) else {
      return Evidence()
    }
    let changes = LatentChanges(
      byDocument: neurons.growth(by: streams.documents), flips: signFlips, using: &generator)
    let chosen = Array(changes.grown().prefix(candidates))
    let likenesses = SteeredLatents(pair, streams, prompts, rows: rows)
      .likenesses(of: chosen, neurons.directions)
    let claims = LatentClaims(
      order: SteeredLatents.order(likenesses), neurons.directions,
      neurons.codes(of: chosen, neurons.finetuned), from: neurons.codes(of: chosen, neurons.base))
    var evidence = claims.evidence(reading: read, of: pair, streams, on: prompts)
    evidence.magnitude = neurons.largestChange(beside: streams.activationNorm)
    let like = Dictionary(uniqueKeysWithValues: likenesses)
    evidence.exhibits = pair.exhibits([
      claims.table(
        "\(neurons.base.columns) neurons, \(changes.grown().count) used more than chance",
        first: candidates, of: pair, excluding: prompts.specialTokens,
        [
          ("growth", { changes.differences[$0] }), ("t", { changes.standardised[$0] }),
          ("chance", { changes.chances[$0] }), ("like the change", { like[$0] }),
        ])
    ])
    return evidence
  }
}

/// What both models' neurons of one block do at the tokens that count.
private struct NeuronActivations {
  /// Shaped `[tokens, neurons]`.
  let base, finetuned: Tensor
  /// What the base writes for each neuron, turned to the side to which it moved, shaped `[neurons, width]`.
  let directions: Tensor

  /// Nil of a block without neurons, or with a norm after them.
  init?(_ pair: ModelPair, _ prompts: PromptSet, _ streams: CountedStreams) {
    let names = pair.base.names, layer = streams.layer
    guard let name = names.tensor(.down, layer: layer),
      names.tensor(.mlpPostNorm, layer: layer) == nil
    else { return nil }
    func read(_ side: ModelPair.Side) -> Tensor {
      pair.activations(side, at: .mlpActivation(layer: streams.layer), on: prompts.text)
        .rows(at: prompts.countedTokens)
    }
    (base, finetuned) = (read(.base), read(.finetuned))
    let moved = (finetuned - base).meanRow.scalars
    directions = pair.base.parameters[name].transposed.scalingRows(
      by: moved.map { $0 < 0 ? -1 : 1 })
  }

  /// How much the mean |a| of each neuron grew in each document, shaped `[documents, neurons]`.
  func growth(by documents: [[Int]]) -> Tensor {
    let growth = finetuned.map(abs) - base.map(abs)
    return Tensor(
      shape: [documents.count, growth.columns],
      scalars: documents.flatMap { growth.rows(at: $0).meanRow.scalars })
  }

  /// Some neurons as codes.
  func codes(of neurons: [Int], _ activations: Tensor) -> SparseCodes {
    SparseCodes(
      latents: activations.columns,
      rows: (0..<activations.rows).map { row in
        neurons.map { .init(latent: $0, value: abs(activations[row, $0])) }
      })
  }

  func largestChange(beside norm: Float) -> Double? {
    let changes = zip((finetuned - base).map(abs).meanRow.scalars, directions.rowNorms)
      .map { $0 * $1 / norm }
    return changes.max().flatMap { $0 > Decoding.rounding ? Double($0) : nil }
  }
}
