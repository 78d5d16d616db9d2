internal import Dictionaries
internal import Diffing
internal import Tensors
internal import Transformers

/// What the finetuned model answers from the base's stream with the change of some latents added (Minder et al., 2025, causal
/// test).
struct LatentExchange {
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
      ("and both halves", Set(claims.order)),
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
