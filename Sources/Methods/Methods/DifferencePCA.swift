package import Diffing
package import Tensors
internal import Transformers

/// The directions along which the difference of the residual streams varies most.
///
/// Centring would remove exactly the constant shift that other methods read; it is shown as component 0,
/// and what varies beside it is components 1 and up. A component's sign is arbitrary: the heavier tail of
/// its scores, by their third moment, is taken as its positive end.
package struct DifferencePCA: DiffingMethod {
  package static let card = MethodCard(
    id: "difference-pca",
    summary: "Principal components of the residual streams' difference.",
    source: "diffing toolkit of Minder et al., 2025 (PCA)",
    questions: [.whether, .what, .when, .where, .how], access: [.unrelated, .pool],
    magnitude: Magnitude(
      "√(largest eigenvalue of the difference's covariance) / mean ‖h‖, mean over readable blocks",
      unit: "share of the stream's norm"))

  /// Components that are read from each block.
  package var components = 2
  /// Whether the mean difference is removed first.
  package var isCentred = true

  package init() {}

  package func diff(
    _ pair: ModelPair, on prompts: PromptSet, using generator: inout SeededGenerator
  ) throws -> Evidence {
    let indices = prompts.answerIndices
    func components(at site: ActivationSite, _ layer: Int) throws -> DifferenceComponents {
      try DifferenceComponents(
        pair, site, layer: layer, text: prompts.text, indices: indices, isCentred: isCentred)
    }
    let analyses = try (0..<pair.shape.layers).map {
      try components(at: .residualPost(layer: $0), $0)
    }
    // Of a block after which nothing varies, components are axes of no meaning.
    let read = Decoding.readable(analyses.map(\.relativeDeviation)).map { analyses[$0] }
    guard !read.isEmpty else { return Evidence() }
    var evidence = Evidence()
    evidence.magnitude = Double(read.map(\.relativeDeviation).mean)
    evidence.tokens = Decoding.tokens(
      along: (0..<self.components).flatMap { index in
        read.filter { index < $0.rank }.map { $0.component(index) }
      }, of: pair, isSigned: false, excluding: prompts.specialTokens)
    evidence.sites = try SiteClaim.rankingGrowth(
      analyses.map(\.deviation),
      from: pair.embedsAlike ? 0 : components(at: .embedding, 0).deviation)
    evidence.interventions = Decoding.steering(
      layer: read[0].layer, read[0].component(0), activationNorm: read[0].activationNorm
    ).map { [$0] }
    if prompts.access == .pool {
      evidence.inputs = InputClaim.ranking(read[0].movement(0).map(abs))
    }
    evidence.exhibits = pair.exhibits(exhibits(analyses, pair, excluding: prompts.specialTokens))
    return evidence
  }

  private func exhibits(
    _ analyses: [DifferenceComponents], _ pair: ModelPair, excluding excluded: Set<Int>
  ) -> [Exhibit] {
    let lists = analyses.flatMap { analysis in
      [("component 0, the mean", analysis.mean), ("component 1", analysis.component(0))].flatMap {
        name, direction -> [Exhibit.TokenList] in
        let claims =
          Decoding.tokens(along: [direction], of: pair, excluding: excluded) ?? []
        return [1, -1].map { sign in
          Exhibit.TokenList(
            "block \(analysis.layer), \(name), \(sign > 0 ? "positive" : "negative")",
            Decoding.top(claims, sign: sign, 8))
        }
      }
    }
    return [
      Exhibit(
        "Share of the variance by component",
        .spectrum(
          analyses.map { .init("block \($0.layer)", Array($0.shares.prefix(10))) })),
      Exhibit("Tokens along the components", .tokens(lists)),
    ]
  }
}

/// The principal components of the difference after one block.
private struct DifferenceComponents {
  let layer: Int
  /// The mean difference.
  let mean: Tensor
  /// The base's mean norm.
  let activationNorm: Float
  /// The root of the largest eigenvalue of the covariance.
  let deviation: Float
  /// Each component's share of the variance, the largest first.
  let shares: [Float]
  /// What centring takes off each difference.
  private let centre: Tensor
  private let rows: Tensor
  private let directions: Tensor

  init(
    _ pair: ModelPair, _ site: ActivationSite, layer: Int, text: TokenBatch, indices: [Int],
    isCentred: Bool
  ) throws(DecompositionError) {
    let difference = pair.difference(at: site, on: text).rows(at: indices)
    self.layer = layer
    mean = difference.meanRow
    activationNorm = pair.activationNorm(at: site, on: text, indices)
    centre = isCentred ? mean : Tensor(repeating: 0, shape: mean.shape)
    rows = difference.addingToRows(centre, scaled: -1)
    let scale = 1 / Float(max(1, indices.count - 1))
    let covariance = matrixProduct(rows, rows, transposingA: true).scaled(by: scale)
    // Of a symmetric positive matrix, singular vectors are eigenvectors.
    let decomposition = try SingularValueDecomposition(covariance)
    let total = max(decomposition.values.scalars.reduce(0, +), .leastNormalMagnitude)
    shares = decomposition.values.scalars.map { $0 / total }
    deviation = decomposition.values[0].squareRoot()
    directions = decomposition.right
  }

  /// Components that are not rounding, some 10⁻⁷ of the first variance: what moved along one line has one.
  var rank: Int { shares.prefix { $0 > 1e-6 }.count }

  var relativeDeviation: Float { deviation / max(activationNorm, .leastNormalMagnitude) }

  /// Where each token lies along a component.
  func scores(_ index: Int) -> [Float] {
    matrixProduct(rows, directions.rows(at: [index]), transposingB: true).scalars
  }

  /// How far each token's activation moved along a component, what is taken off by centring included.
  func movement(_ index: Int) -> [Float] {
    let shift = dot(centre.scalars, Array(directions.row(index)))
    return scores(index).map { $0 + shift }
  }

  /// A component, its positive end the heavier tail.
  func component(_ index: Int) -> Tensor {
    let skew = scores(index).reduce(0.0) { $0 + Double($1) * Double($1) * Double($1) }
    return Tensor(Array(directions.row(index))).scaled(by: skew < 0 ? -1 : 1)
  }
}
