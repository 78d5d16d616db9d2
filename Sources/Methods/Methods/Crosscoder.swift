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
package struct Crosscoder: DiffingMethod {
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
    let streams = try CountedStreams(pair, prompts, depth: depth, method: card.id)
    guard streams.haveMoved else { return Evidence() }
    let activations = streams.sideBySide
    let dictionary = BatchTopKTrainer.train(
      on: activations, models: 2,
      .init(
        width: pair.shape.width, expansion: expansion, sparsity: sparsity, steps: steps,
        batch: batch),
      using: &generator)
    let codes = dictionary.codes(of: activations)
    let change = (dictionary.directions(of: 1) - dictionary.directions(of: 0))
      .scaled(by: 1 / dictionary.normalizer.scale)
    let sizes = zip(codes.rootMeanSquares(over: streams.answers), change.rowNorms)
      .map { $0 * $1 / streams.activationNorm }
    let claims = LatentClaims(by: streams.differencesVary ? sizes : [], change, codes)
    var evidence = claims.evidence(reading: read, of: pair, streams, on: prompts)
    evidence.magnitude = claims.order.first.map { Double(sizes[$0]) }
    evidence.exhibits = pair.exhibits([
      table(claims, dictionary, activations, sizes, streams, pair, prompts.specialTokens),
      LatentExchange(pair, prompts, streams, claims, dictionary).exhibit,
    ])
    return evidence
  }

  private func table(
    _ claims: LatentClaims, _ dictionary: BatchTopKDictionary, _ activations: Tensor,
    _ sizes: [Float], _ streams: CountedStreams, _ pair: ModelPair, _ excluded: Set<Int>
  ) -> Exhibit {
    let sides = CrosscoderSides(dictionary, on: activations)
    let unexplained = unexplainedVariance(dictionary.decoded(claims.codes), of: activations)
    let active = sides.leans.indices.filter { sides.activeRows[$0] > 0 }
    func count(_ side: CrosscoderSide) -> Int { active.count { sides.side($0) == side } }
    let missing = active.count(where: sides.isMissingInBase)
    let shares = claims.codes.activeShares(over: streams.answers)
    return claims.table(
      "\(active.count) latents, \(rounded(claims.codes.meanActive)) active a token, leave "
        + "\(rounded(unexplained)) of the variance; \(count(.base)) are the base's alone, "
        + "\(count(.finetuned)) the finetuned model's, \(missing) missing in the base by scaling",
      first: 10, of: pair, excluding: excluded,
      [
        ("active at", { shares[$0] }), ("change", { sizes[$0] }), ("lean", { sides.leans[$0] }),
        ("ν error", { sides.errorRatios[$0] }),
        ("ν reconstruction", { sides.reconstructionRatios[$0] }),
      ])
  }
}

/// What the finetuned model answers from the base's stream with the change of some latents added (Minder et al., 2025, causal
/// test).
private struct LatentExchange {
  private let pair: ModelPair
  private let prompts: PromptSet
  private let streams: CountedStreams
  private let claims: LatentClaims
  /// What the finetuned model's activations have more of, whatever latents are active, shaped `[1, width]`.
  private let constant: Matrix

  init(
    _ pair: ModelPair, _ prompts: PromptSet, _ streams: CountedStreams, _ claims: LatentClaims,
    _ dictionary: BatchTopKDictionary
  ) {
    self.pair = pair
    self.prompts = prompts
    self.streams = streams
    self.claims = claims
    let nothing = dictionary.decoded(SparseCodes(latents: dictionary.latents, rows: [[]]))
    let width = dictionary.width
    constant = Matrix(nothing.columns(width..<2 * width) - nothing.columns(0..<width))
  }

  /// The divergence of the finetuned model's answers from those with some latents exchanged.
  var exhibit: Exhibit {
    let half = claims.order.count / 2
    let kinds: [(String, Set<Int>?)] = [
      ("nothing", nil), ("the constant part", []),
      ("and the half that changed most", Set(claims.order.prefix(half))),
      ("and the other half", Set(claims.order.dropFirst(half))),
      ("and all", Set(claims.order)),
    ]
    let indices = prompts.answerIndices
    let answers = pair.logits(.finetuned, on: prompts.text, at: indices).logProbabilities
    let divergences = kinds.flatMap { kind in
      pair.finetuned.figures(
        of: prompts.text, fromEach: [start(exchanging: kind.1)], at: indices
      ) { rowDivergences(answers, $0).mean }
    }
    return Exhibit(
      "The finetuned model from the base's stream, parts exchanged",
      .table(
        columns: ["exchanged", "divergence, nats"],
        rows: zip(kinds, divergences).map { [.text($0.0), .number(Float($1))] }))
  }

  /// The base's stream with the change of some latents, and of what no latent writes; as it is without any set of them.
  private func start(exchanging latents: Set<Int>?) -> Intervention {
    let base = pair.activations(.base, at: streams.site, on: prompts.text)
    guard let latents else { return .patch(streams.site, with: base) }
    let stream = Matrix(base), change = Matrix(claims.directions)
    for (entries, token) in zip(claims.codes.rows, prompts.countedTokens) {
      addToRows(constant, of: stream.rows(token..<token + 1))
      for entry in entries where latents.contains(entry.latent) {
        addScaled(
          change.rows(entry.latent..<entry.latent + 1), by: entry.value,
          to: stream.rows(token..<token + 1))
      }
    }
    return .patch(streams.site, with: stream.tensor)
  }
}
