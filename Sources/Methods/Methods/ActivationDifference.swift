package import Diffing
package import Tensors
internal import Transformers

/// How far apart the two models' residual streams are: by block, position and input.
///
/// The literal method of dashboards, cautions included. Norms are taken relative to the base's, because
/// the stream grows with depth; blocks are nevertheless ranked by the plain norm, as users read it off a
/// plot. Tokens are read from where the difference is largest, not from its mean.
package struct ActivationDifference: DiffingMethod {
  package static let card = MethodCard(
    id: "activation-difference",
    summary: "Norm, cosine and consistency of the difference by block, position and input.",
    source: "diffing toolkit of Minder et al., 2025 (activation analysis)",
    questions: [.whether, .what, .when, .where, .how], access: [.unrelated, .pool],
    magnitude: Magnitude(
      "mean ‖h′ − h‖ / ‖h‖ over tokens and readable blocks",
      unit: "share of the stream's norm"))

  /// The share of the tokens, those that moved most, that are read.
  package var share = 0.1
  /// Positions of a row that the curve over positions shows.
  package var positions = 16

  package init() {}

  package func diff(
    _ pair: ModelPair, on prompts: PromptSet, using generator: inout SeededGenerator
  ) throws -> Evidence {
    let indices = prompts.answerIndices
    let blocks = (0..<pair.shape.layers).map {
      BlockDifference(pair, layer: $0, text: prompts.text, indices: indices)
    }
    let read = Decoding.readable(blocks.map(\.relative.mean))
    guard !read.isEmpty else { return Evidence() }
    let moved = indices.indices.map { index in read.map { blocks[$0].relative[index] }.mean }
    let top = largestIndices(moved, max(1, Int(share * Double(moved.count))))
    let directions = read.map { blocks[$0].difference.rows(at: top).meanRow }
    var evidence = Evidence()
    evidence.magnitude = Double(moved.mean)
    evidence.tokens = Decoding.tokens(
      along: directions, of: pair, excluding: prompts.specialTokens)
    evidence.sites = SiteClaim.ranking(
      pair.blockModules.map { ($0, blocks[$0.layer ?? 0].norms.mean) })
    evidence.interventions = Decoding.steering(
      layer: read[0], directions[0], activationNorm: blocks[read[0]].baseNorms.mean
    ).map { [$0] }
    if prompts.access == .pool { evidence.inputs = InputClaim.ranking(moved) }
    evidence.exhibits = pair.exhibits(exhibits(blocks, prompts, indices: indices, moved: moved))
    return evidence
  }

  private func exhibits(
    _ blocks: [BlockDifference], _ prompts: PromptSet, indices: [Int], moved: [Float]
  ) -> [Exhibit] {
    let text = prompts.text
    let curves = Exhibit.overBlocks(
      "The difference after each block",
      [
        .init("norm", blocks.map(\.norms.mean)),
        .init("relative norm", blocks.map(\.relative.mean)),
        .init("cosine of the streams", blocks.map(\.cosines.mean)),
        .init("consistency over inputs", blocks.map(\.consistency)),
      ])
    let starts = (0..<text.rows).flatMap { row in text.range(row).map { _ in text.starts[row] } }
    let byPosition = Dictionary(grouping: indices.indices) { indices[$0] - starts[indices[$0]] }
    let shown = (0..<positions).filter { byPosition[$0] != nil }
    let positionCurve = Exhibit(
      "Relative norm by position",
      .curves(
        axis: "position", points: shown.map(String.init),
        lines: [
          .init("relative norm", shown.map { (byPosition[$0] ?? []).map { moved[$0] }.mean })
        ]))
    guard prompts.access == .unrelated else { return [curves, positionCurve] }
    let strip = Exhibit.strip("The row that moved most", moved, at: indices, of: text)
    return [curves, positionCurve, strip]
  }
}

/// The difference of the streams after one block, token by token.
private struct BlockDifference {
  /// Shaped `[tokens, width]`.
  let difference: Tensor
  let norms: [Float]
  let baseNorms: [Float]
  /// Norms relative to the base's.
  let relative: [Float]
  /// Cosines between the two streams.
  let cosines: [Float]
  /// The mean cosine of a token's difference with the mean difference.
  let consistency: Float

  init(_ pair: ModelPair, layer: Int, text: TokenBatch, indices: [Int]) {
    let site = ActivationSite.residualPost(layer: layer)
    let base = pair.activations(.base, at: site, on: text).rows(at: indices)
    let finetuned = pair.activations(.finetuned, at: site, on: text).rows(at: indices)
    let change = finetuned - base
    difference = change
    norms = change.rowNorms
    baseNorms = base.rowNorms
    relative = zip(norms, baseNorms).map { $1 > 0 ? $0 / $1 : $0 > 0 ? 1 : 0 }
    let after = finetuned.rowNorms, before = baseNorms
    cosines = indices.indices.map { index in
      dot(base.row(index), finetuned.row(index)) / max(after[index] * before[index], 1e-30)
    }
    let mean = change.meanRow, size = mean.norm
    let own = norms
    consistency =
      size > 0
      ? own.indices.map { index in
        own[index] > 0 ? dot(change.row(index), mean.scalars) / (own[index] * size) : 0
      }.mean : 0
  }
}
