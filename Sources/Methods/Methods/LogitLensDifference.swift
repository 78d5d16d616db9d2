package import Diffing
package import Tensors
internal import Transformers

/// The difference of the two models' intermediate predictions, block by block.
///
/// Each model is read through its own final norm and unembedding: W LN(h) of one minus that of the
/// other, which is not the lens of the difference, because the norm is not linear.
package struct LogitLensDifference: DiffingMethod {
  package static let card = MethodCard(
    id: "logit-lens-difference",
    summary: "Difference of the two models' logit lenses at each block.",
    source: "nostalgebraist, 2020; as a diff: Minder et al., 2025 (arXiv 2510.13900)",
    questions: [.whether, .what, .when, .where], access: [.unrelated, .pool],
    magnitude: Magnitude(
      "mean Jensen-Shannon divergence of the two models' lenses, mean over readable blocks",
      unit: "nats"))

  /// Rows of running text that are read; of a pool every prompt is, at its end.
  package var rows = 32

  package init() {}

  package func diff(
    _ pair: ModelPair, on prompts: PromptSet, using generator: inout SeededGenerator
  ) throws -> Evidence {
    let text = prompts.text
    let end = text.starts[min(rows, text.rows)]
    let indices =
      prompts.access == .pool
      ? text.lastIndices
      : prompts.thinned(
        prompts.countedTokens.filter { $0 < end }, to: prompts.limits.ofExchanges)
    let layers = Array(0..<pair.shape.layers)
    func lens(at site: ActivationSite) -> LayerLens {
      LayerLens(pair, site, text: text, indices: indices)
    }
    let lenses = layers.map { lens(at: .residualPost(layer: $0)) }
    let divergences = lenses.map(\.divergence)
    let read = readableLayers(pair.shape.layers).filter { divergences[$0] > Self.rounding }
    guard !read.isEmpty else { return Evidence() }
    var evidence = Evidence()
    evidence.magnitude = read.map { divergences[$0] }.mean
    evidence.tokens = TokenClaim.roundRobin(
      read.map { TokenClaim.ranking(lenses[$0].meanShift, excluding: prompts.specialTokens) })
    evidence.sites = sites(pair, divergences, text: text, indices: indices)
    evidence.exhibits = pair.exhibits(exhibits(lenses, excluding: prompts.specialTokens))
    if prompts.access == .pool, let last = lenses.last {
      evidence.inputs = InputClaim.ranking(last.byToken.map { Float(Self.beyondRounding($0)) })
    }
    return evidence
  }

  /// Divergences below this, in nats, are rounding of single precision.
  private static let rounding = 1e-7

  private static func beyondRounding(_ divergence: Double) -> Double {
    divergence > rounding ? divergence : 0
  }

  /// Modules by how much the divergence grows over them, both streams read through the base's lens: what the
  /// finetuned model's own norm and unembedding add sits above the blocks.
  private func sites(
    _ pair: ModelPair, _ divergences: [Double], text: TokenBatch, indices: [Int]
  ) -> [SiteClaim]? {
    func divergence(_ site: ActivationSite, _ lens: LogitLens) -> Double {
      Self.beyondRounding(
        LayerLens(pair, site, text: text, indices: indices, finetunedBy: lens).divergence)
    }
    func shared(_ site: ActivationSite) -> Double { divergence(site, LogitLens(pair.base)) }
    let blocks =
      pair.changedAboveBlocks.isEmpty
      ? divergences.map(Self.beyondRounding)
      : divergences.indices.map { shared(.residualPost(layer: $0)) }
    let last = ActivationSite.residualPost(layer: divergences.count - 1)
    return SiteClaim.rankingGrowth(
      blocks.map(Float.init), from: pair.embedsAlike ? 0 : Float(shared(.embedding)),
      and: pair.contributionsAboveBlocks { divergence(last, $0) }
        .filter { $0.1 > Self.rounding }.map { ($0.0, Float($0.1)) })
  }

  private func exhibits(_ lenses: [LayerLens], excluding: Set<Int>) -> [Exhibit] {
    let commitments = [\LayerLens.baseTop, \.finetunedTop].map { side in
      commitment(lenses.map { $0[keyPath: side] })
    }
    return [
      Exhibit.overBlocks(
        "The lenses after each block, nats",
        [
          .init("Jensen-Shannon", lenses.map { Float($0.divergence) }),
          .init("KL(finetuned, base)", lenses.map { Float($0.forward) }),
          .init("KL(base, finetuned)", lenses.map { Float($0.reverse) }),
          .init("change of entropy", lenses.map { Float($0.entropyChange) }),
        ]),
      Exhibit(
        "Mean block from which the first token stays first",
        .table(
          columns: ["base", "finetuned"], rows: [commitments.map { .number(Float($0)) }])),
      Exhibit(
        "Tokens gained and lost",
        .tokens(
          lenses.enumerated().flatMap { layer, lens -> [Exhibit.TokenList] in
            let claims = TokenClaim.ranking(lens.meanShift, excluding: excluding)
            return [
              .init("block \(layer), gained", Decoding.top(claims, sign: 1, 8)),
              .init("block \(layer), lost", Decoding.top(claims, sign: -1, 8)),
            ]
          })),
    ]
  }

  /// The mean, over tokens, of the first block from which on the top token is the last block's.
  private func commitment(_ top: [[Int]]) -> Double {
    guard let last = top.last else { return 0 }
    return last.indices.map { token in
      let changed = top.indices.last { top[$0][token] != last[token] }
      return Double(changed.map { $0 + 1 } ?? 0)
    }.mean
  }
}

/// Both models' lenses at one point of the stream.
private struct LayerLens {
  /// Jensen-Shannon divergence at each token, in nats.
  let byToken: [Double]
  /// KL(finetuned ‖ base) and KL(base ‖ finetuned), means in nats.
  let forward, reverse: Double
  /// The mean change of the entropy, finetuned minus base, in nats.
  let entropyChange: Double
  /// The most likely token at each token.
  let baseTop, finetunedTop: [Int]
  /// The mean shift of each token's log-probability, centred over the vocabulary.
  let meanShift: [Float]
  var divergence: Double { byToken.mean }

  /// Reads the base's stream through its own lens, the finetuned model's through its own or another.
  init(
    _ pair: ModelPair, _ site: ActivationSite, text: TokenBatch, indices: [Int],
    finetunedBy lens: LogitLens? = nil
  ) {
    func logProbabilities(_ side: ModelPair.Side, _ lens: LogitLens) -> Tensor {
      let stream = pair.activations(side, at: site, on: text).rows(at: indices)
      return lens.logits(of: stream).logProbabilities
    }
    let base = logProbabilities(.base, LogitLens(pair.base))
    let finetuned = logProbabilities(.finetuned, lens ?? LogitLens(pair.finetuned))
    let comparison = RowComparison(finetuned, base)
    byToken = comparison.jensenShannon
    forward = comparison.forward.mean
    reverse = comparison.reverse.mean
    entropyChange = comparison.entropyChange.mean
    baseTop = (0..<base.rows).map { base.row($0).indexOfLargest }
    finetunedTop = (0..<base.rows).map { finetuned.row($0).indexOfLargest }
    meanShift = centred((finetuned - base).meanRow.scalars)
  }
}
