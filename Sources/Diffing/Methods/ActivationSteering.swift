package import Tensors
internal import Transformers

/// What the base says when it is steered along the mean activation difference.
///
/// Several intensities, each beside random directions of the same length: a token counts by how far
/// its log-probability rises above what random steering does to it. The proposed intensity is the
/// strongest that leaves text predictable.
package struct ActivationSteering: DiffingMethod {
  package static let card = MethodCard(
    id: "activation-steering",
    summary: "The base steered along the mean difference, beside random directions.",
    source: "Turner et al., 2023 (arXiv 2308.10248); Minder et al., 2025 (arXiv 2510.13900)",
    questions: [.whether, .what, .how], access: [.unrelated, .pool])

  /// Lengths of the steering vector as shares of the mean activation.
  package var intensities: [Float] = [0.25, 0.5, 1, 2]
  /// Random directions beside each intensity.
  package var controls = 4
  /// The most that steering may add to the loss on the text, in nats.
  package var tolerance = 1.0
  /// Rows of the text that are read.
  package var rows = 32

  package init() {}

  package func diff(
    _ pair: ModelPair, on prompts: PromptPool, using generator: inout SeededGenerator
  ) throws -> Evidence {
    let layer = readableLayers(pair.shape.layers)[0]
    let site = ActivationSite.residualPost(layer: layer)
    let counted = prompts.countedTokens
    let mean = pair.difference(at: site, on: prompts.text).rows(at: counted).meanRow
    let size = pair.pass(.base, on: prompts.text)[site].rows(at: counted).rowNorms.mean
    guard mean.norm > 1e-6 * size else { return Evidence() }
    let text = TokenBatch(
      (0..<min(rows, prompts.text.rows)).map { Array(prompts.text.row($0)) })
    let experiment = SteeringExperiment(pair.base, site: site, text: text)
    let direction = mean.scaled(by: 1 / mean.norm)
    let randoms = (0..<controls).map { _ in generator.direction(direction.count) }
    let results = intensities.map { intensity in
      experiment.compare(direction, with: randoms, length: intensity * size)
    }
    let chosen = results.lastIndex { $0.addedLoss <= tolerance } ?? 0
    var evidence = Evidence()
    evidence.magnitude = Double(results[chosen].effect * mean.norm / size)
    evidence.tokens = TokenClaim.ranking(results[chosen].shift, excluding: prompts.specialTokens)
    evidence.interventions = [
      .steer(
        layer: layer, direction: direction.scaled(by: intensities[chosen] * size).scalars)
    ]
    evidence.exhibits = [
      Exhibit(
        title: "Steering by intensity", columns: ["intensity", "added loss", "effect over random"],
        rows: zip(intensities, results).map { ["\($0)", "\($1.addedLoss)", "\($1.effect)"] })
    ]
    return evidence
  }
}

/// The base's predictions on a text, plain and steered.
private struct SteeringExperiment {
  struct Result {
    /// How far each token's mean log-probability rises above random steering's, centred.
    let shift: [Float]
    /// What steering adds to the loss on the text, in nats.
    let addedLoss: Double
    /// The size of the mean shift relative to random steering's.
    let effect: Float
  }

  private let model: any LanguageModel
  private let site: ActivationSite
  private let text: TokenBatch
  private let plain: Tensor
  private let predictions: [Int]

  init(_ model: any LanguageModel, site: ActivationSite, text: TokenBatch) {
    self.model = model
    self.site = site
    self.text = text
    predictions = (0..<text.rows).flatMap { Array(text.range($0).dropLast()) }
    plain = model.forward(text, logits: .all).logits.logProbabilities
  }

  func compare(_ direction: Tensor, with randoms: [Tensor], length: Float) -> Result {
    let steered = logProbabilities(direction.scaled(by: length))
    let controls = randoms.map { meanShift(logProbabilities($0.scaled(by: length))) }
    let own = meanShift(steered)
    let random = controls.reduce(Tensor(shape: own.shape), +).scaled(
      by: 1 / Float(max(1, controls.count)))
    let difference = (own - random).scalars
    let centre = difference.mean
    let randomSize = max(controls.map(\.norm).mean, .leastNormalMagnitude)
    return Result(
      shift: difference.map { $0 - centre }, addedLoss: loss(steered) - loss(plain),
      effect: own.norm / randomSize)
  }

  private func logProbabilities(_ vector: Tensor) -> Tensor {
    model.forward(text, recording: [], editing: [.steer(site, along: vector)], logits: .all)
      .logits.logProbabilities
  }

  private func meanShift(_ steered: Tensor) -> Tensor { (steered - plain).meanRow }

  private func loss(_ logProbabilities: Tensor) -> Double {
    -predictions.map { Double(logProbabilities[$0, text.tokens[$0 + 1]]) }.mean
  }
}
