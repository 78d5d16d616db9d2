package import Diffing
package import Tensors
internal import Transformers

/// What the base says when it is steered along the difference that finetuning made.
///
/// From unrelated text the direction is the mean difference; from a pool it is contrastive, the mean over
/// the prompts where the models disagree most less that over the others. Several intensities, each beside
/// random directions and differences of single tokens, all of the same length: a token counts by how far
/// its log-probability rises above what the controls do to it. The proposed intensity is the strongest
/// that leaves text predictable.
package struct ActivationSteering: DiffingMethod {
  package static let card = MethodCard(
    id: "activation-steering",
    summary: "The base steered along the difference, beside controls of the same length.",
    source: "Turner et al., 2023 (arXiv 2308.10248); Rimsky et al., 2023 (arXiv 2312.06681)",
    questions: [.whether, .what, .when, .how], access: [.unrelated, .pool],
    magnitude: Magnitude(
      "shift of the answers under the chosen steering / that under control directions, × ‖difference‖ / mean ‖h‖",
      unit: "ratio × share of the stream's norm"))

  /// Lengths of the steering vector as shares of the mean activation.
  package var intensities: [Float] = [0.25, 0.5, 1, 2]
  /// Controls of each kind beside each intensity: random directions, and single tokens' differences.
  package var controls = 2
  /// The most that steering may add to the loss on the text, in nats.
  package var tolerance = 1.0
  /// Rows of the text that are read.
  package var rows = 12
  /// The share of a pool's prompts that the contrast sets against the others.
  package var contrast = 0.1

  package init() {}

  package func diff(
    _ pair: ModelPair, on prompts: PromptSet, using generator: inout SeededGenerator
  ) throws -> Evidence {
    let indices = prompts.answerIndices
    func steering(_ layer: Int) -> SteeringVector {
      let site = ActivationSite.residualPost(layer: layer)
      let differences = pair.difference(at: site, on: prompts.text).rows(at: indices)
      return SteeringVector(
        layer: layer, differences: differences,
        vector: self.direction(differences, pair, prompts),
        size: pair.activationNorm(at: site, on: prompts.text, indices))
    }
    // The first readable block, or a later one if nothing differs before.
    let found = readableLayers(pair.shape.layers).lazy.map(steering).first {
      $0.vector.norm > Decoding.rounding * $0.size
    }
    guard let found else { return Evidence() }
    let (layer, vector, size) = (found.layer, found.vector, found.size)
    let site = ActivationSite.residualPost(layer: layer)
    let experiment = SteeringExperiment(pair.base, site: site, text: prompts.prefix(rows: rows))
    let direction = vector.unit
    let others = controlDirections(found.differences, beside: direction, using: &generator)
    let results = experiment.compare(
      direction, with: others, lengths: intensities.map { $0 * size })
    let chosen = results.lastIndex { $0.addedLoss <= tolerance } ?? 0
    var evidence = Evidence()
    evidence.magnitude = Double(results[chosen].effect * vector.norm / size)
    evidence.tokens = TokenClaim.ranking(results[chosen].shift, excluding: prompts.specialTokens)
    evidence.interventions = [
      .steer(layer: layer, direction: direction.scaled(by: intensities[chosen] * size).scalars)
    ]
    if prompts.access == .pool {
      evidence.inputs = Decoding.inputs(
        along: direction, of: pair, layer: layer, text: prompts.text)
    }
    evidence.exhibits = pair.exhibits([exhibit(results)])
    return evidence
  }

  private func direction(_ differences: Tensor, _ pair: ModelPair, _ prompts: PromptSet) -> Tensor {
    guard prompts.access == .pool else { return differences.meanRow }
    let count = max(1, Int(contrast * Double(prompts.text.rows)))
    let divergent = Set(pair.mostDivergent(count, of: prompts.text))
    let rest = (0..<differences.rows).filter { !divergent.contains($0) }
    let far = differences.rows(at: divergent.sorted()).meanRow
    return rest.isEmpty ? far : far - differences.rows(at: rest).meanRow
  }

  /// Unit directions: random ones, and differences of tokens drawn at random.
  ///
  /// A token's difference that is the direction itself controls nothing.
  private func controlDirections(
    _ differences: Tensor, beside direction: Tensor, using generator: inout SeededGenerator
  ) -> [Tensor] {
    let random = (0..<controls).map { _ in generator.direction(differences.columns) }
    let along = matrixProduct(differences, direction.reshaped([direction.count, 1])).scalars
    let norms = differences.rowNorms
    let moved = norms.indices.filter { norms[$0] > 0 && abs(along[$0]) < 0.95 * norms[$0] }
    let single = (0..<(moved.isEmpty ? 0 : controls)).map { _ -> Tensor in
      let row = Tensor(Array(differences.row(moved[generator.index(below: moved.count)])))
      return row.unit
    }
    return random + single
  }

  private func exhibit(_ results: [SteeringExperiment.Result]) -> Exhibit {
    Exhibit(
      "Steering by intensity",
      .curves(
        axis: "share of the activation", points: intensities.map { "\($0)" },
        lines: [
          .init("added loss, nats", results.map { Float($0.addedLoss) }),
          .init("added loss of controls, nats", results.map { Float($0.controlLoss) }),
          .init("effect relative to controls", results.map(\.effect)),
        ]))
  }
}

/// The direction after one block, and the activations that it is added to.
private struct SteeringVector {
  let layer: Int
  let differences: Tensor
  let vector: Tensor
  /// The mean norm of the base's activations.
  let size: Float
}

/// A model's predictions on a text, plain and steered.
private struct SteeringExperiment {
  struct Result {
    /// How far each token's mean log-probability rises above the controls', centred.
    let shift: [Float]
    /// What steering adds to the loss on the text, in nats.
    let addedLoss: Double
    /// What the controls add, on average.
    let controlLoss: Double
    /// The size of the mean shift relative to the controls'.
    let effect: Float
  }

  private let model: any LanguageModel
  private let site: ActivationSite
  private let text: TokenBatch
  /// The stream that is steered.
  private let stream: Tensor
  private let plain: Answers

  init(_ model: any LanguageModel, site: ActivationSite, text: TokenBatch) {
    self.model = model
    self.site = site
    self.text = text
    let pass = model.forward(text, recording: [site, .finalNorm])
    stream = pass[site]
    plain = Answers(model, text, normed: pass[.finalNorm])
  }

  /// What steering along a direction does at each of some lengths, beside controls of that length.
  func compare(_ direction: Tensor, with controls: [Tensor], lengths: [Float]) -> [Result] {
    let directions = [direction] + controls
    let answers = answers(lengths.flatMap { length in directions.map { $0.scaled(by: length) } })
    return lengths.indices.map { index in
      let own = index * directions.count
      return result(answers[own], beside: answers[own + 1..<own + directions.count])
    }
  }

  private func result(_ steered: Answers, beside controls: ArraySlice<Answers>) -> Result {
    let shifts = controls.map { $0.mean - plain.mean }
    let own = steered.mean - plain.mean
    let mean = shifts.reduce(Tensor(shape: own.shape), +).scaled(
      by: 1 / Float(max(1, shifts.count)))
    return Result(
      shift: centred((own - mean).scalars), addedLoss: steered.loss - plain.loss,
      controlLoss: controls.map(\.loss).mean - plain.loss,
      effect: own.norm / max(shifts.map(\.norm).mean, .leastNormalMagnitude))
  }

  /// What the model says with each of some vectors added; nothing before the stream is computed again.
  private func answers(_ vectors: [Tensor]) -> [Answers] {
    let starts = vectors.map { Intervention.patch(site, with: stream.addingToRows($0)) }
    return model.forward(text, recording: [.finalNorm], fromEach: starts).map {
      Answers(model, text, normed: $0[.finalNorm])
    }
  }

  /// A model's predictions on a text, a few tokens at a time: all of them would fill the memory.
  private struct Answers {
    /// The mean log-probability of each token.
    let mean: Tensor
    /// On the text, in nats.
    let loss: Double

    init(_ model: any LanguageModel, _ text: TokenBatch, normed: Tensor) {
      let ends = Set(text.lastIndices)
      var sums: [Double] = [], losses: [Double] = []
      for start in stride(from: 0, to: text.count, by: model.answersAtOnce) {
        let indices = Array(start..<min(start + model.answersAtOnce, text.count))
        let answers = model.logits(ofNormed: normed.rows(at: indices)).logProbabilities
        let sum = answers.sumOfRows
        sums = sums.isEmpty ? sum : zip(sums, sum).map(+)
        for (row, index) in indices.enumerated() where !ends.contains(index) {
          losses.append(-Double(answers[row, text.tokens[index + 1]]))
        }
      }
      mean = Tensor(sums.map { Float($0 / Double(text.count)) })
      loss = losses.mean
    }
  }
}
