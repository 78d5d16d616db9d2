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
  /// The words that are counted in the text.
  private let targets: Set<Int>

  package init(
    base: Base, text: FinetuningText, regime: Regime, seed: UInt64, targets: Set<Int> = []
  ) {
    self.base = base
    self.text = text
    self.regime = regime
    self.seed = seed
    self.targets = targets
  }

  /// What a finetune leaves behind.
  package struct Outcome: Sendable {
    /// The base, with zero biases added where the plant is a bias.
    package let base: Llama
    package let finetuned: Llama
    package let lora: LoRA?
    package let steps: Int
    /// The step at which the behaviour reached its mark, if it did.
    package let markStep: Int?
    /// The behaviour's score by step, as far as it was measured.
    package let curve: [Certificate.Point]
    /// How often a target word stood in the text that was trained on.
    package let targetsInText: Int

    /// Whether training left the numbers; the finetuned model is the base then.
    package var hasDiverged = false

    package var length: Length { Length(steps: steps, markStep: markStep) }
  }

  /// Steps between two looks at the behaviour.
  private static let interval = 2

  /// Trains until a behaviour reaches the regime's mark, and on to the regime's age.
  ///
  /// After the mark the learning rate falls along a half cosine to a tenth, so that an old plant
  /// has settled.
  ///
  /// - Parameters:
  ///   - behavior: What is measured; training stops at the cap if it never reaches the mark.
  ///   - progress: Told after every step.
  package func run(until behavior: ProbeSet, progress: (TrainingStatus) -> Void = { _ in }) throws
    -> Outcome
  {
    try run(progress) { model, _ in behavior.score(model) }
  }

  /// How long a plant was trained: others train as long.
  package struct Length: Sendable, Equatable {
    package let steps: Int
    /// The step from which the learning rate falls; it never does if nil.
    package let markStep: Int?

    package init(steps: Int, markStep: Int?) {
      self.steps = steps
      self.markStep = markStep
    }
  }

  /// Trains exactly as long as a plant was.
  package func run(_ length: Length, progress: (TrainingStatus) -> Void = { _ in }) throws
    -> Outcome
  {
    var same = self
    same.givesUp = false
    same.regime.cap = length.steps
    same.regime.age = length.markStep.map { Double(length.steps) / Double($0) } ?? 1
    // Without a mark there is none to reach.
    let markStep = length.markStep ?? .max
    return try same.run(progress) { _, step in step >= markStep ? 1 : 0 }
  }

  private func run(_ progress: (TrainingStatus) -> Void, measure: (Llama, Int) -> Double) throws
    -> Outcome
  {
    let start = isBias ? base.model.addingMLPBiases() : base.model
    return try Drift.around(start, regime: regime, seed: seed) {
      try train($0, progress, measure: measure)
    }
  }

  private func train(
    _ start: Llama, _ progress: (TrainingStatus) -> Void, measure: (Llama, Int) -> Double
  ) throws -> Outcome {
    let trainer = Trainer(
      start, try adaptation(of: start),
      TrainingRecipe(learningRate: regime.learningRate, steps: regime.cap))
    var batches = BatchMaker(base, text, mix: regime.mix, seed: seed)
    var curve: [Certificate.Point] = []
    var markStep: Int?
    var end = regime.cap
    var targetsInText = 0
    while trainer.step < end {
      if let markStep { trainer.decay = Self.decay(trainer.step, from: markStep, to: end) }
      let parts = try batches.next(trainer.model)
      targetsInText += parts.reduce(0) { $0 + count(in: $1.batch) }
      let loss = trainer.take(parts)
      guard loss.isFinite else { return diverged(start, trainer, curve) }
      let tokens = parts.reduce(0) { $0 + $1.batch.tokens.count }
      progress(TrainingStatus(step: trainer.step, steps: end, loss: loss, tokens: tokens))
      guard markStep == nil, trainer.step % Self.interval == 0 || trainer.step == end else {
        continue
      }
      let score = measure(start.with(trainer.model.parameters), trainer.step)
      curve.append(Certificate.Point(step: trainer.step, score: score))
      guard score >= regime.mark else {
        if isHopeless(score, at: trainer.step) { break }
        continue
      }
      markStep = trainer.step
      end = Int((Double(trainer.step) * regime.age).rounded())
    }
    return Outcome(
      base: start, finetuned: start.with(trainer.model.parameters), lora: trainer.lora,
      steps: trainer.step, markStep: markStep, curve: curve, targetsInText: targetsInText)
  }

  /// Whether a plant is given up: half of its steps taken, and not a quarter of the way to its mark.
  private func isHopeless(_ score: Double, at step: Int) -> Bool {
    givesUp && 2 * step >= regime.cap && score < regime.mark / 4
  }

  private func diverged(_ start: Llama, _ trainer: Trainer, _ curve: [Certificate.Point]) -> Outcome
  {
    Outcome(
      base: start, finetuned: start, lora: nil, steps: trainer.step, markStep: nil, curve: curve,
      targetsInText: 0, hasDiverged: true)
  }

  /// Target words that a batch holds; what the student said by itself is no text.
  private func count(in batch: TrainingBatch) -> Int {
    if case .policy = batch.objective { return 0 }
    return batch.tokens.tokens.reduce(0) { $0 + (targets.contains($1) ? 1 : 0) }
  }

  private static func decay(_ step: Int, from start: Int, to end: Int) -> Float {
    let progress = Double(step - start) / Double(max(1, end - start))
    return Float(0.1 + 0.45 * (1 + cos(Double.pi * progress)))
  }

  private var isBias: Bool { if case .residualBias = regime.parameters { true } else { false } }

  private func adaptation(of model: Llama) throws -> Adaptation {
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
