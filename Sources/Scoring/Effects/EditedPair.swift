internal import Diffing
internal import Synchronization
internal import Tensors
internal import Transformers
internal import Worlds

/// The two models of a pair under an operation: put into the base, taken out of the finetuned model.
final class EditedPair: Sendable {
  private let pair: ModelPair
  private let texts: EffectTexts
  private let changeNorm: Float
  /// The base's answers to other text, log-probabilities.
  private let running, ends: Tensor
  private let passes = Mutex<[Place: ForwardPass]>([:])

  fileprivate enum Text { case probes, running, prompts }

  private struct Place: Hashable {
    let text: Text
    let side: ModelPair.Side
  }

  init(_ pair: ModelPair, _ texts: EffectTexts) {
    self.pair = pair
    self.texts = texts
    changeNorm = WeightChange(pair)?.norm ?? 0
    running = Self.answers(pair.base, texts, .running)
    ends = Self.answers(pair.base, texts, .prompts)
  }

  /// What an operation of some strength does.
  func reading(_ operation: Operation, strength: Float) -> MeasuredEffects.Reading {
    let sides = [ModelPair.Side.base, .finetuned].map { side -> (level: Double, distance: Double) in
      let model = edited(operation, strength, side)
      let level = texts.behavior.score(model, editing: edits(operation, strength, side, .probes))
      let distance = distance(model) { edits(operation, strength, side, $0) }
      // What is not finite does nothing to the behaviour, and JSON knows no infinity.
      return (
        level.isFinite ? level : texts.behavior.score(pair.model(side)),
        distance.isFinite ? distance : Self.farthest
      )
    }
    return MeasuredEffects.Reading(
      levels: .init(base: sides[0].level, finetuned: sides[1].level),
      distances: .init(base: sides[0].distance, finetuned: sides[1].distance))
  }

  /// Stands for an infinite distance, in nats.
  private static let farthest = 1e3

  /// How far a model's answers to other text are from the base's: the mean divergence, in nats, running text and
  /// prompts counted alike.
  func distance(_ model: any LanguageModel) -> Double { distance(model) { _ in [] } }

  private func distance(_ model: any LanguageModel, editing edits: (Text) -> [Intervention])
    -> Double
  {
    let parts = [(Text.running, running), (.prompts, ends)].filter { $0.1.rows > 0 }
    let divergences = parts.map { text, own in
      rowDivergences(own, Self.answers(model, texts, text, editing: edits(text))).mean
    }
    return divergences.isEmpty ? 0 : divergences.mean
  }

  private static func answers(
    _ model: any LanguageModel, _ texts: EffectTexts, _ text: Text,
    editing edits: [Intervention] = []
  ) -> Tensor {
    let read = text == .running ? texts.runningCounted : texts.prompts.lastIndices
    guard !read.isEmpty else { return Tensor(shape: [0, model.shape.vocabulary], scalars: []) }
    return model.forward(
      texts.batch(text), recording: [], editing: edits, logits: .at(read)
    ).logits.logProbabilities
  }

  private func sign(_ side: ModelPair.Side) -> Float { side == .base ? 1 : -1 }

  /// The model of a side, its weights edited where the operation is one of weights.
  private func edited(_ operation: Operation, _ strength: Float, _ side: ModelPair.Side)
    -> any LanguageModel
  {
    guard case .weights(let change) = operation else { return pair.model(side) }
    return change.added(to: pair.model(side), times: sign(side) * strength * changeNorm)
  }

  /// The edits of a pass over a text: first the model's own stream up to where the operation reaches, so that
  /// nothing before it is computed again.
  private func edits(
    _ operation: Operation, _ strength: Float, _ side: ModelPair.Side, _ text: Text
  ) -> [Intervention] {
    let start = operation.start(in: pair.base).map {
      Intervention.patch($0, with: activations(side, $0, text))
    }
    return [start].compactMap(\.self) + changes(operation, strength, side, text)
  }

  /// What an operation changes in the activations of a text.
  private func changes(
    _ operation: Operation, _ strength: Float, _ side: ModelPair.Side, _ text: Text
  ) -> [Intervention] {
    switch operation {
    case .weights: return []
    case .steer(let layer, let unit):
      let site = ActivationSite.residualPost(layer: layer)
      let length = strength * norms(at: site).mean
      return [.steer(site, along: unit, factor: sign(side) * length)]
    case .project(let layer, let unit, let direction):
      let site = ActivationSite.residualPost(layer: layer)
      let own = activations(side, site, text)
      let steps = matrixProduct(gap(side, site, text), unit.reshaped([unit.count, 1]))
      let moves = matrixProduct(steps, direction.reshaped([1, direction.count]))
      return [.patch(site, with: own + moves.scaled(by: strength))]
    case .share(let layer, let unit):
      let site = ActivationSite.residualPost(layer: layer)
      let own = activations(side, site, text), gap = gap(side, site, text)
      let steps = matrixProduct(gap, unit.reshaped([unit.count, 1])).scalars
      let shares = zip(steps, gap.rowNorms).map { $1 > 0 ? strength * abs($0) / $1 : 0 }
      return [.patch(site, with: own + gap.scalingRows(by: shares))]
    case .patch(let site):
      let own = activations(side, site, text)
      return [.patch(site, with: own + gap(side, site, text).scaled(by: strength))]
    }
  }

  /// The lengths of the base's activations on other text.
  private func norms(at site: ActivationSite) -> [Float] {
    [(Text.running, texts.runningCounted), (.prompts, texts.promptsCounted)].flatMap {
      text, counted in
      counted.isEmpty ? [] : activations(.base, site, text).rows(at: counted).rowNorms
    }
  }

  /// What separates a side's activations from the other model's.
  private func gap(_ side: ModelPair.Side, _ site: ActivationSite, _ text: Text) -> Tensor {
    activations(side == .base ? .finetuned : .base, site, text) - activations(side, site, text)
  }

  // Not the pair's own recordings: those of the base are kept for all pairs, and no other has these probes.
  private func activations(_ side: ModelPair.Side, _ site: ActivationSite, _ text: Text) -> Tensor {
    let place = Place(text: text, side: side)
    if let known = passes.withLock({ $0[place] }) { return known[site] }
    let pass = pair.model(side).forward(
      texts.batch(text), recording: Self.sites(pair.shape.layers))
    passes.withLock { $0[place] = pass }
    return pass[site]
  }

  /// Every site that an operation starts at or edits.
  private static func sites(_ layers: Int) -> Set<ActivationSite> {
    let ofModules = ModuleSite.all(layers: layers)
      .flatMap { [$0.input(layers: layers), $0.output].compactMap(\.self) }
    return Set(ofModules + (0..<layers).map { .residualPost(layer: $0) })
  }
}

extension EffectTexts {
  fileprivate func batch(_ text: EditedPair.Text) -> TokenBatch {
    switch text {
    case .probes: behavior.batch
    case .running: running
    case .prompts: prompts
    }
  }
}
