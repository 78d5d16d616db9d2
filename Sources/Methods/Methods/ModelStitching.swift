package import Diffing
package import Tensors
internal import Transformers

/// One model up to a point and the other from there on, to see at which point the change gets in.
///
/// Identity stitches first, which two models of one origin allow: the base's stream is replaced by the
/// finetuned model's after each module, and the other way round. What the answers gain from one point to
/// the next is what the module between them wrote. Affine stitches are fitted on the streams alone, never
/// on the task, which they could learn (2412.11299); they tell a change of coordinates from one of content.
package struct ModelStitching: DiffingMethod {
  package static let card = MethodCard(
    id: "model-stitching",
    summary: "One model's lower part under the other's upper part, point by point.",
    source: "Bansal et al., 2021 (arXiv 2106.07682); direct matching: arXiv 2412.11299",
    questions: [.whether, .where, .how], access: [.unrelated, .pool],
    magnitude: Magnitude(
      "mean Jensen-Shannon divergence from the base's answers with the finetuned stream put in, over stitching points and the whole",
      unit: "nats"))

  /// Rows of running text, or prompts with the largest divergence, that are answered.
  package var rows = 16
  /// Points at which models are stitched at most: those of nine blocks or fewer are all tried, of more evenly spaced
  /// ones and then those between which the answers change most.
  package var points = 20
  /// How strongly an affine stitch is held to the identity, as a share of the stream's variance.
  package var ridge: Float = 0.1

  package init() {}

  package func diff(
    _ pair: ModelPair, on prompts: PromptSet, using generator: inout SeededGenerator
  ) throws -> Evidence {
    let experiment = StitchingExperiment(pair, prompts, rows: rows)
    guard experiment.change.isSeen else { return Evidence() }
    let points = StitchingPoint.all(layers: pair.shape.layers)
    let line = try CoarseToFine(of: points.count, most: max(2, self.points), by: \.trajectory) {
      try experiment.stitches(at: $0.map { points[$0].site })
    }
    let trajectory = line.straightened(\.trajectory)
    let steps = points.indices.map { index in
      (points[index].module, trajectory[index] - (index > 0 ? trajectory[index - 1] : 0))
    }
    // What no stitch of the blocks brings sits above them, in what changed there.
    let above = experiment.contributionsAboveBlocks()
    var evidence = Evidence()
    evidence.magnitude =
      (line.straightened(\.divergence)
      + [experiment.change.divergence(of: experiment.change.finetuned)]).mean
    // A tied model's unembedding is its embedding, which then answers at both ends.
    evidence.sites = SiteClaim.ranking(
      steps.map { ($0.0, $0.1 + ($0.0 == .embedding ? above[.embedding] ?? 0 : 0)) }
        + [ModuleSite.finalNorm, .unembedding].map { ($0, above[$0] ?? 0) })
    evidence.interventions = evidence.sites?.first.flatMap { claim in
      pair.blockModules.contains(claim.site) ? [.patch(claim.site)] : nil
    }
    evidence.exhibits = pair.exhibits([
      exhibit(line.measured.map { (points[$0.point].name, $0.value) }),
      try experiment.affineExhibit(layers: pair.shape.layers, ridge: ridge),
    ])
    return evidence
  }

  private func exhibit(_ stitches: [(name: String, stitch: Stitch)]) -> Exhibit {
    Exhibit(
      "Share of the change in the answers, by where the models are stitched",
      .curves(
        axis: "after", points: stitches.map(\.name),
        lines: [
          .init("finetuned below, base above", stitches.map(\.stitch.below)),
          .init("base below, finetuned above", stitches.map(\.stitch.over)),
        ]))
  }
}

/// What the answers of two models that are stitched at a point have of the change.
private struct Stitch {
  /// The share of it, the finetuned model below the base.
  let below: Float
  /// The share of it, the base below the finetuned model.
  let over: Float
  /// How far the first answers are from the base's, in nats.
  let divergence: Double
  /// The share that is there after the point: what a finetuned lower part brings, and what a base's lower part takes
  /// away.
  var trajectory: Float { (below + 1 - over) / 2 }
}

/// Where two models are joined.
private struct StitchingPoint {
  let site: ActivationSite
  /// The module that writes last before the point.
  let module: ModuleSite
  var name: String { module.description }

  static func all(layers: Int) -> [StitchingPoint] {
    [StitchingPoint(site: .embedding, module: .embedding)]
      + (0..<layers).flatMap { layer in
        [
          StitchingPoint(site: .residualMid(layer: layer), module: .attention(layer: layer)),
          StitchingPoint(site: .residualPost(layer: layer), module: .mlp(layer: layer)),
        ]
      }
  }
}

/// Answers of stitched models to some text.
private struct StitchingExperiment {
  private let pair: ModelPair
  private let whole: TokenBatch
  private let rows: [Int]
  private let text: TokenBatch
  private let indices: [Int]
  /// The tokens of the whole text that maps are fitted on.
  private let counted: [Int]
  let change: AnswerChange

  init(_ pair: ModelPair, _ prompts: PromptSet, rows count: Int) {
    self.pair = pair
    whole = prompts.text
    rows = prompts.answeredRows(count, of: pair)
    let answered = prompts.with(rows: rows)
    text = answered.text
    indices = answered.answerIndices
    counted = prompts.countedTokens
    let flat = rows.flatMap { Array(prompts.text.range($0)) }
    let places = indices.map { flat[$0] }
    change = AnswerChange(
      base: pair.logProbabilities(.base, on: whole, at: places),
      finetuned: pair.logProbabilities(.finetuned, on: whole, at: places))
  }

  /// Both stitches at some sites.
  ///
  /// Answers to a text are large, so that only their figures are kept.
  func stitches(at sites: [ActivationSite]) throws -> [Stitch] {
    let below = try figures(top: .base, at: sites) { answers in
      (change.recovery(answers), change.divergence(of: answers))
    }
    let over = try figures(top: .finetuned, at: sites, change.recovery)
    return zip(below, over).map { Stitch(below: $0.0, over: $1, divergence: $0.1) }
  }

  /// A figure of the answers of `top`'s upper part on the other model's stream from each of some sites on, mapped
  /// first if a map is given.
  func figures<Figure>(
    top: ModelPair.Side, at sites: [ActivationSite],
    through map: (ActivationSite) throws -> AffineMap? = { _ in nil }, _ figure: (Tensor) -> Figure
  ) throws -> [Figure] {
    let bottom: ModelPair.Side = top == .base ? .finetuned : .base
    let starts = try sites.map { site in
      let stream = pair.recording(bottom, site, of: whole, rows: rows)
      return Intervention.patch(site, with: try map(site)?.applied(to: stream) ?? stream)
    }
    return pair.model(top).figures(of: text, fromEach: starts, at: indices, figure)
  }

  /// What each changed part above the blocks brings of what no stitch of the blocks does.
  func contributionsAboveBlocks() -> [ModuleSite: Float] {
    let last = pair.shape.layers - 1
    // Over either model's last stream, as the stitches are.
    let parts = [ModelPair.Side.base, .finetuned].map { side in
      let stream = pair.recording(side, .residualPost(layer: last), of: whole, rows: rows)
        .rows(at: indices)
      return pair.contributionsAboveBlocks {
        Double(change.recovery($0.logits(of: stream).logProbabilities))
      }
    }
    return Dictionary(parts.flatMap { $0.map { ($0.0, Float($0.1) / 2) } }) { $0 + $1 }
  }

  func affineExhibit(layers: Int, ridge: Float) throws -> Exhibit {
    let sites = (0..<layers).map { ActivationSite.residualPost(layer: $0) }
    func shares(_ bottom: ModelPair.Side, _ top: ModelPair.Side) throws -> [Float] {
      try figures(
        top: top, at: sites,
        through: { site in
          try AffineMap(
            from: pair.activations(bottom, at: site, on: whole).rows(at: counted),
            to: pair.activations(top, at: site, on: whole).rows(at: counted), ridge: ridge)
        }, change.recovery)
    }
    return Exhibit.overBlocks(
      "The same through affine maps fitted on the streams",
      [
        .init("finetuned below, base above", try shares(.finetuned, .base)),
        .init("base below, finetuned above", try shares(.base, .finetuned)),
      ])
  }
}
