internal import Dictionaries
package import Diffing
package import Tensors
internal import Transformers

/// Latents of a sparse autoencoder of the base that the finetuned model uses more, steered one by one.
///
/// Candidates are those that grew more than chance allows, the surest first. Along each the base is steered, and they come
/// in the order of how much what that does to its answers is like what finetuning did; one that does the opposite says
/// nothing.
package struct SAELatents: DiffingMethod {
  package static let card = MethodCard(
    id: "sae-latents",
    summary: "Latents of the base's sparse autoencoder that grew, steered one by one.",
    source: "Wang et al., 2025 (arXiv 2506.19823)",
    questions: [.whether, .what, .when, .how], access: [.unrelated, .pool],
    magnitude: Magnitude(
      "‖Σ d (mean f′ − mean f)‖ / mean ‖h‖, over tokens", unit: "share of the stream's norm"))

  /// After which block, as a share of the depth.
  package var depth = 1.0
  /// Latents for each number of an activation.
  package var expansion = 4
  /// Active latents of a token, on average.
  package var sparsity = 8
  package var steps = 400
  /// Tokens of a step.
  package var batch = 256
  /// Latents that are steered.
  package var candidates = 10
  /// Latents that are read.
  package var read = 3
  /// Rows of the text on which steering is measured.
  package var rows = 12
  /// Draws that each latent's growth is compared with.
  package var signFlips = 1000

  package init() {}

  package func diff(
    _ pair: ModelPair, on prompts: PromptSet, using generator: inout SeededGenerator
  ) throws -> Evidence {
    let streams = try CountedStreams(pair, prompts, depth: depth, method: card.id)
    guard streams.haveMoved else { return Evidence() }
    let dictionary = BatchTopKTrainer.train(
      on: streams.base,
      .init(
        width: pair.shape.width, expansion: expansion, sparsity: sparsity, steps: steps,
        batch: batch),
      using: &generator)
    let before = dictionary.codes(of: streams.base), after = dictionary.codes(of: streams.finetuned)
    let changes = LatentChanges(
      from: before, to: after, documents: streams.documents, flips: signFlips, using: &generator)
    let directions = dictionary.decoder.scaled(by: 1 / dictionary.normalizer.scale)
    let likenesses = SteeredLatents(pair, streams, prompts, rows: rows)
      .likenesses(of: Array(changes.grown().prefix(candidates)), directions)
    let claims = LatentClaims(
      order: SteeredLatents.order(likenesses), directions, after, from: before)
    var evidence = claims.evidence(reading: read, of: pair, streams, on: prompts)
    evidence.magnitude = magnitude(before, after, directions, streams)
    evidence.exhibits = pair.exhibits([
      table(
        claims, changes, Dictionary(uniqueKeysWithValues: likenesses), dictionary, before, streams,
        pair, prompts.specialTokens)
    ])
    return evidence
  }

  private func magnitude(
    _ before: SparseCodes, _ after: SparseCodes, _ directions: Tensor, _ streams: CountedStreams
  ) -> Double? {
    let change = Tensor(
      shape: [1, after.latents], scalars: zip(after.means(), before.means()).map(-))
    let size = matrixProduct(change, directions).norm / streams.activationNorm
    return size > Decoding.rounding ? Double(size) : nil
  }

  private func table(
    _ claims: LatentClaims, _ changes: LatentChanges, _ likenesses: [Int: Float],
    _ dictionary: BatchTopKDictionary, _ before: SparseCodes, _ streams: CountedStreams,
    _ pair: ModelPair, _ excluded: Set<Int>
  ) -> Exhibit {
    let unexplained = [(before, streams.base), (claims.codes, streams.finetuned)].map {
      unexplainedVariance(dictionary.decoded($0), of: $1)
    }
    return claims.table(
      "\(dictionary.latents) latents, \(rounded(before.meanActive)) active a token, leave "
        + "\(rounded(unexplained[0])) of the base's variance, \(rounded(unexplained[1])) of the finetuned "
        + "model's; \(changes.grown().count) are used more than chance", first: candidates,
      of: pair,
      excluding: excluded,
      [
        ("growth", { changes.differences[$0] }), ("t", { changes.standardised[$0] }),
        ("chance", { changes.chances[$0] }), ("like the change", { likenesses[$0] }),
      ])
  }
}
