internal import Dictionaries
package import Diffing
package import Tensors
internal import Transformers

/// A sparse autoencoder of the difference of the residual streams.
///
/// What all differences share is no latent: it is taken off before, and shown. A latent counts by the energy that it
/// writes at the tokens after which an answer is read, so that a rare one that writes much is not passed over. Directions
/// are of any length; what is kept of a batch is decided by what a latent writes, as in a crosscoder.
package struct DifferenceSAE: DiffingMethod {
  package static let card = MethodCard(
    id: "difference-sae",
    summary: "Latents of a sparse autoencoder of the residual streams' difference.",
    source: "Bussmann et al., 2024 (arXiv 2412.06410); diffing toolkit of Minder et al., 2025",
    questions: [.whether, .what, .when, .how], access: [.unrelated, .pool],
    magnitude: Magnitude(
      "√(mean f²) ‖d‖ of the latent that writes most, over answers / mean ‖h‖",
      unit: "share of the stream's norm"))

  /// After which block, as a share of the depth.
  package var depth = 1.0
  /// Latents for each number of an activation.
  package var expansion = 4
  /// Active latents of a token, on average.
  package var sparsity = 4
  package var steps = 400
  /// Tokens of a step.
  package var batch = 256
  /// Latents that are read.
  package var read = 3

  package init() {}

  package func diff(
    _ pair: ModelPair, on prompts: PromptSet, using generator: inout SeededGenerator
  ) throws -> Evidence {
    let streams = try CountedStreams(pair, prompts, depth: depth, method: card.id)
    guard streams.haveMoved else { return Evidence() }
    let dictionary = BatchTopKTrainer.train(
      on: streams.difference,
      .init(
        width: pair.shape.width, expansion: expansion, sparsity: sparsity, steps: steps,
        batch: batch),
      using: &generator)
    let codes = dictionary.codes(of: streams.difference)
    let directions = dictionary.decoder.scaled(by: 1 / dictionary.normalizer.scale)
    let sizes = zip(codes.rootMeanSquares(over: streams.answers), directions.rowNorms)
      .map { $0 * $1 / streams.activationNorm }
    let claims = LatentClaims(by: streams.differencesVary ? sizes : [], directions, codes)
    var evidence = claims.evidence(reading: read, of: pair, streams, on: prompts)
    evidence.magnitude = claims.order.first.map { Double(sizes[$0]) }
    evidence.exhibits = pair.exhibits(
      exhibits(claims, dictionary, sizes, streams, pair, excluding: prompts.specialTokens))
    return evidence
  }

  private func exhibits(
    _ claims: LatentClaims, _ dictionary: BatchTopKDictionary, _ sizes: [Float],
    _ streams: CountedStreams, _ pair: ModelPair, excluding excluded: Set<Int>
  ) -> [Exhibit] {
    let codes = claims.codes
    let unexplained = unexplainedVariance(dictionary.decoded(codes), of: streams.difference)
    let constant = dictionary.normalizer.mean
    let shares = codes.activeShares(over: streams.answers)
    /// Of what varies: the mean stream is much longer than any difference, and in both models.
    func scalings(_ stream: Tensor) -> [Float?] {
      codes.scalings(
        of: dictionary.decoder, to: stream.addingToRows(stream.meanRow, scaled: -1))
    }
    let (inBase, inFinetuned) = (scalings(streams.base), scalings(streams.finetuned))
    // Of a direction that the finetuned model does not have either, a share of it says nothing.
    func ratio(_ latent: Int) -> Float? {
      guard let base = inBase[latent], let finetuned = inFinetuned[latent], finetuned > 0 else {
        return nil
      }
      return base / finetuned
    }
    let top = Decoding.tokens(along: [constant], of: pair, excluding: excluded) ?? []
    return [
      claims.table(
        "\(dictionary.latents) latents, \(rounded(codes.meanActive)) active a token, leave "
          + "\(rounded(unexplained)) of the variance", first: 10, of: pair, excluding: excluded,
        [
          ("active at", { shares[$0] }), ("writes", { sizes[$0] }), ("in the base", ratio),
        ]),
      Exhibit(
        "The constant part, "
          + "\(rounded(Double(constant.norm / streams.activationNorm))) of the stream's norm",
        .tokens([
          .init("promoted", Decoding.top(top, 10)),
          .init("suppressed", Decoding.top(top, sign: -1, 10)),
        ])),
    ]
  }
}
