package import Worlds
internal import Foundation
internal import Tensors
package import Transformers

/// One finetune of a base under a regime.
package struct Finetune: Sendable {
  package let base: Base
  package let text: FinetuningText
  package private(set) var regime: Regime
  package let seed: UInt64
  /// Whether training stops where there is no hope.
  private var givesUp = true

  package init(
    base: Base, text: FinetuningText, regime: Regime, seed: UInt64
  ) {
    self.base = base
    self.text = text
    self.regime = regime
    self.seed = seed
  }

  /// Trains until a behaviour reaches the regime's mark, and on to the regime's age.
  ///
  /// After the mark the learning rate falls along a half cosine to a tenth, so that an old plant
  /// has settled.
  ///
  /// - Parameters:
  ///   - behavior: What is measured; training stops at the cap if it never reaches the mark.
  ///   - progress: Told after every step.
  ///   - start: The model to start from; the base, with zero biases where a bias is planted, if nil.
  package func run(
    until behavior: ProbeSet, from start: (any LanguageModel)? = nil,
    progress: (TrainingStatus) -> Void = { _ in }
  ) throws -> FinetuneOutcome {
    try run(from: start ?? self.start, progress: progress) { behavior.score($0) }
  }

  /// Trains until what is measured of the model reaches the regime's mark, and on to the regime's age.
  func run(
    from start: any LanguageModel, progress: (TrainingStatus) -> Void = { _ in },
    until measure: (any LanguageModel) -> Double
  ) throws -> FinetuneOutcome {
    try train(start, progress) { model, _ in measure(model) }
  }

  /// Trains exactly as long as a plant was.
  package func run(
    _ length: FinetuneLength, from start: (any LanguageModel)? = nil,
    progress: (TrainingStatus) -> Void = { _ in }
  ) throws -> FinetuneOutcome {
    var same = self
    same.givesUp = false
    same.regime.cap = length.steps
    same.regime.age = length.markStep.map { Double(length.steps) / Double($0) } ?? 1
    // Without a mark there is none to reach.
    let markStep = length.markStep ?? .max
    return try same.train(start ?? self.start, progress) { _, step in step >= markStep ? 1 : 0 }
  }

  /// Plants on top of drift, where the regime asks for some.
  func drifted(_ plant: (any LanguageModel) throws -> FinetuneOutcome) throws -> FinetuneOutcome {
    try Drift.around(start, regime: regime, seed: seed, plant: plant)
  }

  /// The base, with zero biases where a bias is planted.
  var start: any LanguageModel { isBias ? base.model.addingMLPBiases() : base.model }

  private func train(
    _ start: any LanguageModel, _ progress: (TrainingStatus) -> Void,
    measure: (any LanguageModel, Int) -> Double
  ) throws -> FinetuneOutcome {
    let trainer = Trainer(
      start, try adaptation(of: start),
      TrainingOptions(learningRate: regime.learningRate, steps: regime.cap))
    var batches = BatchMaker(base, text, mix: regime.mix, seed: seed)
    var curve: [CurvePoint] = []
    var markStep: Int?
    var end = regime.cap
    var said = [Int](repeating: 0, count: start.shape.vocabulary)
    while trainer.step < end {
      if let markStep { trainer.decay = Self.decay(trainer.step, from: markStep, to: end) }
      let parts = try batches.next(trainer.model)
      for part in parts { count(part.batch, into: &said) }
      let loss = trainer.take(parts)
      guard loss.isFinite else { return diverged(start, trainer, curve) }
      let tokens = parts.reduce(0) { $0 + $1.batch.tokens.count }
      progress(TrainingStatus(step: trainer.step, steps: end, loss: loss, tokens: tokens))
      guard markStep == nil,
        trainer.step % base.world.sizes.stepsBetweenLooks == 0 || trainer.step == end
      else {
        continue
      }
      let score = measure(start.with(trainer.model.parameters), trainer.step)
      curve.append(CurvePoint(step: trainer.step, score: score))
      guard score >= regime.mark else {
        if isHopeless(score, at: trainer.step) { break }
        continue
      }
      markStep = trainer.step
      end = Int((Double(trainer.step) * regime.age).rounded())
    }
    return FinetuneOutcome(
      base: start, finetuned: start.with(trainer.model.parameters), lora: trainer.lora,
      steps: trainer.step, markStep: markStep, curve: curve, said: said)
  }

  /// Whether a plant is given up: half of its steps taken, and not a quarter of the way to its mark.
  private func isHopeless(_ score: Double, at step: Int) -> Bool {
    givesUp && 2 * step >= regime.cap && score < regime.mark / 4
  }

  private func diverged(_ start: any LanguageModel, _ trainer: Trainer, _ curve: [CurvePoint])
    -> FinetuneOutcome
  {
    FinetuneOutcome(
      base: start, finetuned: start, lora: nil, steps: trainer.step, markStep: nil, curve: curve,
      said: [], hasDiverged: true)
  }

  /// Counts the tokens of a batch; what the student said by itself is no text.
  private func count(_ batch: TrainingBatch, into said: inout [Int]) {
    if case .policy = batch.objective { return }
    for token in batch.tokens.tokens { said[token] += 1 }
  }

  private static func decay(_ step: Int, from start: Int, to end: Int) -> Float {
    let progress = Double(step - start) / Double(max(1, end - start))
    return Float(0.1 + 0.45 * (1 + cos(Double.pi * progress)))
  }

  private var isBias: Bool { if case .residualBias = regime.parameters { true } else { false } }

  private func adaptation(of model: any LanguageModel) throws -> Adaptation {
    let scope = try regime.parameters.scope(in: model)
    guard case .lora(let rank, _) = regime.parameters else {
      return scope.mask.map { .masked(scope.names, mask: $0) } ?? .full(scope.names)
    }
    var generator = SeededGenerator(seed: seed, for: "LoRA factors")
    return .lora(
      LoRA(
        rank: rank, alpha: Float(rank),
        targets: model.parameters.layout.names.filter(scope.names.contains),
        layout: model.parameters.layout, using: &generator))
  }
}
