package import Diffing
package import Tensors
internal import Transformers

/// The usual indices of how alike two models represent a text, block by block.
///
/// They see what no rotation of the stream undoes, so a finetune that moves every token alike stays unseen: the mean is
/// taken off first.
package struct RepresentationSimilarity: DiffingMethod {
  package static let card = MethodCard(
    id: "representation-similarity",
    summary: "Centred kernel alignment of streams and modules; prompts that lie elsewhere.",
    source: "Kornblith et al., 2019 (arXiv 1905.00414); Kriegeskorte et al., 2008",
    questions: [.whether, .when, .where], access: [.unrelated, .pool],
    magnitude: Magnitude(
      "1 − linear CKA of the two models' streams, mean over readable blocks",
      unit: "share of the alignment"))

  /// Tokens whose neighbours are counted, and how many neighbours.
  package var neighborTokens = 512, neighbors = 10

  package init() {}

  package func diff(
    _ pair: ModelPair, on prompts: PromptSet, using generator: inout SeededGenerator
  ) throws -> Evidence {
    let tokens = prompts.countedTokens
    guard tokens.count > 2 else { return Evidence() }
    func indices(_ site: ActivationSite, _ tokens: [Int]) -> SimilarityIndices {
      SimilarityIndices(
        pair.activations(.base, at: site, on: prompts.text).rows(at: tokens),
        pair.activations(.finetuned, at: site, on: prompts.text).rows(at: tokens))
    }
    let blocks = readableLayers(pair.shape.layers).map { ActivationSite.residualPost(layer: $0) }
    let distance = blocks.map { Self.distance(indices($0, tokens)) }.mean
    guard distance > 0 else { return Evidence() }
    var evidence = Evidence()
    evidence.magnitude = distance
    evidence.sites = SiteClaim.ranking(
      pair.blockModules.compactMap { module in
        module.output.map { (module, Float(Self.distance(indices($0, tokens)))) }
      })
    if prompts.access == .pool, prompts.text.rows > 3 {
      let ends = prompts.text.lastIndices
      evidence.inputs = InputClaim.ranking(
        blocks.map { indices($0, ends).displacements }.meanOfEach)
    }
    evidence.exhibits = pair.exhibits(
      [try curves(pair.shape.layers, tokens) { indices(.residualPost(layer: $0), $1) }])
    return evidence
  }

  /// 1 − CKA; 0 if that is rounding of sums of squares.
  private static func distance(_ indices: SimilarityIndices) -> Double {
    let distance = 1 - indices.alignment
    return distance > Double(Decoding.rounding) ? distance : 0
  }

  private func curves(
    _ layers: Int, _ tokens: [Int], _ indices: (_ layer: Int, _ tokens: [Int]) -> SimilarityIndices
  ) throws -> Exhibit {
    let step = max(1, tokens.count / neighborTokens)
    let some = stride(from: 0, to: tokens.count, by: step).map { tokens[$0] }
    let all = (0..<layers).map { indices($0, tokens) }
    return Exhibit.overBlocks(
      "How alike the streams are after each block",
      [
        .init("linear CKA", all.map { Float($0.alignment) }),
        .init("rotation distance", try all.map { Float(try $0.rotationDistance()) }),
        .init(
          "mutual neighbours of \(neighbors)",
          (0..<layers).map { Float(indices($0, some).mutualNeighbors(neighbors)) }),
      ])
  }
}

extension [[Float]] {
  /// The mean of each place over lists that are as long.
  fileprivate var meanOfEach: [Float] {
    (first ?? []).indices.map { place in map { $0[place] }.mean }
  }
}
