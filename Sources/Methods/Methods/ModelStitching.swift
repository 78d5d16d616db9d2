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
  /// How strongly an affine stitch is held to the identity, as a share of the stream's variance.
  package var ridge: Float = 0.1

  package init() {}

  package func diff(
    _ pair: ModelPair, on prompts: PromptSet, using generator: inout SeededGenerator
  ) throws -> Evidence {
    let experiment = StitchingExperiment(pair, prompts, rows: rows)
    guard experiment.change.isSeen else { return Evidence() }
    let points = StitchingPoint.all(layers: pair.shape.layers)
    // Answers to a text are large, so of each point's only two figures are kept.
    let stitched = try experiment.figures(top: .base, at: points.map(\.site)) { answers in
      (
        recovery: experiment.change.recovery(answers),
        divergence: experiment.change.divergence(of: answers)
      )
    }
    let below = stitched.map(\.recovery)
    let over = try experiment.figures(
      top: .finetuned, at: points.map(\.site), experiment.change.recovery)
    // What a finetuned lower part brings, and what a base's lower part takes away.
    let trajectory = zip(below, over).map { ($0 + 1 - $1) / 2 }
    let steps = points.indices.map { index in
      (points[index].module, trajectory[index] - (index > 0 ? trajectory[index - 1] : 0))
    }
    // What no stitch of the blocks brings sits above them, in what changed there.
    let above = experiment.contributionsAboveBlocks()
    var evidence = Evidence()
    evidence.magnitude =
      (stitched.map(\.divergence)
      + [experiment.change.divergence(of: experiment.change.finetuned)]).mean
    // A tied model's unembedding is its embedding, which then answers at both ends.
    evidence.sites = SiteClaim.ranking(
      steps.map { ($0.0, $0.1 + ($0.0 == .embedding ? above[.embedding] ?? 0 : 0)) }
        + [ModuleSite.finalNorm, .unembedding].map { ($0, above[$0] ?? 0) })
    evidence.interventions = evidence.sites?.first.flatMap { claim in
      pair.blockModules.contains(claim.site) ? [.patch(claim.site)] : nil
    }
    evidence.exhibits = pair.exhibits([
      exhibit(points, below, over),
      try experiment.affineExhibit(layers: pair.shape.layers, ridge: ridge),
    ])
    return evidence
  }

  private func exhibit(_ points: [StitchingPoint], _ below: [Float], _ above: [Float]) -> Exhibit {
    Exhibit(
      "Share of the change in the answers, by where the models are stitched",
      .curves(
        axis: "after", points: points.map(\.name),
        lines: [
          .init("finetuned below, base above", below), .init("base below, finetuned above", above),
        ]))
  }
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
