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
    questions: [.whether, .what, .when, .where], access: [.unrelated, .pool])

  /// Rows of running text that are read; of a pool every prompt is, at its end.
  package var rows = 64

  package init() {}

  package func diff(
    _ pair: ModelPair, on prompts: PromptPool, using generator: inout SeededGenerator
  ) throws -> Evidence {
    let text = prompts.text
    let end = text.starts[min(rows, text.rows)]
    let indices =
      prompts.access == .pool ? text.lastIndices : prompts.countedTokens.filter { $0 < end }
    let layers = Array(0..<pair.shape.layers)
    let lenses = layers.map { LayerLens(pair, layer: $0, text: text, indices: indices) }
    let divergences = lenses.map(\.divergence)
    guard divergences.contains(where: { $0 > 1e-12 }) else { return Evidence() }
    let read = readableLayers(pair.shape.layers)
    var evidence = Evidence()
    evidence.magnitude = read.map { divergences[$0] }.mean
    evidence.tokens = TokenClaim.roundRobin(
      read.map { TokenClaim.ranking(lenses[$0].meanShift, excluding: prompts.specialTokens) })
    evidence.sites = SiteClaim.ranking(
      layers.flatMap { layer -> [(ModuleSite, Float)] in
        let growth = Float(divergences[layer] - (layer > 0 ? divergences[layer - 1] : 0))
        return [(.attention(layer: layer), growth), (.mlp(layer: layer), growth)]
      })
    evidence.exhibits = [
      Exhibit(
        title: "Jensen-Shannon divergence after each block", columns: ["block", "nats"],
        rows: zip(layers, divergences).map { ["\($0)", "\($1)"] })
    ]
    if prompts.access == .pool, let last = lenses.last {
      evidence.inputs = InputClaim.ranking(last.byToken.map(Float.init))
    }
    return evidence
  }
}

/// Both models' lenses after one block.
private struct LayerLens {
  /// Jensen-Shannon divergence at each token, in nats.
  let byToken: [Double]
  /// The mean shift of each token's log-probability, centred over the vocabulary.
  let meanShift: [Float]
  var divergence: Double { byToken.mean }

  init(_ pair: ModelPair, layer: Int, text: TokenBatch, indices: [Int]) {
    func logProbabilities(_ side: ModelPair.Side) -> Tensor {
      let stream = pair.pass(side, on: text)[.residualPost(layer: layer)].rows(at: indices)
      return LogitLens(pair.model(side)).logits(of: stream).logProbabilities
    }
    let base = logProbabilities(.base), finetuned = logProbabilities(.finetuned)
    byToken = (0..<base.rows).map { max(0, jensenShannon(finetuned.row($0), base.row($0))) }
    let shift = (finetuned - base).meanRow.scalars
    let centre = shift.mean
    meanShift = shift.map { $0 - centre }
  }
}
