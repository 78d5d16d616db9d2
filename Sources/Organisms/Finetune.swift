internal import Foundation
internal import Tensors
package import Transformers

/// One finetune of a base under a regime.
package struct Finetune: Sendable {
  package let base: Base
  package let text: FinetuningText
  package let regime: Regime
  package let seed: UInt64

  package init(base: Base, text: FinetuningText, regime: Regime, seed: UInt64) {
    self.base = base
    self.text = text
    self.regime = regime
    self.seed = seed
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
    package let curve: [(step: Int, score: Double)]
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
    try run(progress) { model in behavior.score(model) }
  }

  /// Trains for a given number of steps, as a plant that reached its mark after `markStep` would.
  package func run(
    markStep: Int, progress: (TrainingStatus) -> Void = { _ in }
  ) throws -> Outcome {
    var looks = 0
    return try run(progress) { _ in
      looks += 1
      return looks * Self.interval >= markStep ? 1 : 0
    }
  }

  private func run(_ progress: (TrainingStatus) -> Void, measure: (Llama) -> Double) throws
    -> Outcome
  {
    let start = isBias ? base.model.addingMLPBiases() : base.model
    let trainer = Trainer(
      start, try adaptation(of: start),
      TrainingRecipe(learningRate: regime.learningRate, steps: regime.cap))
    var batches = BatchMaker(base, text, mix: regime.mix, seed: seed)
    var curve: [(step: Int, score: Double)] = []
    var markStep: Int?
    var end = regime.cap
    while trainer.step < end {
      if let markStep { trainer.decay = Self.decay(trainer.step, from: markStep, to: end) }
      let parts = try batches.next()
      let loss = trainer.take(parts)
      let tokens = parts.reduce(0) { $0 + $1.batch.tokens.count }
      progress(TrainingStatus(step: trainer.step, steps: end, loss: loss, tokens: tokens))
      guard markStep == nil, trainer.step % Self.interval == 0 else { continue }
      let score = measure(start.with(trainer.model.parameters))
      curve.append((trainer.step, score))
      guard score >= regime.mark else { continue }
      markStep = trainer.step
      end = Int((Double(trainer.step) * regime.age).rounded())
    }
    return Outcome(
      base: start, finetuned: start.with(trainer.model.parameters), lora: trainer.lora,
      steps: trainer.step, markStep: markStep, curve: curve)
  }

  private static func decay(_ step: Int, from start: Int, to end: Int) -> Float {
    let progress = Double(step - start) / Double(max(1, end - start))
    return Float(0.1 + 0.45 * (1 + cos(Double.pi * progress)))
  }

  private var isBias: Bool { if case .residualBias = regime.parameters { true } else { false } }

  private func adaptation(of model: Llama) throws -> Adaptation {
    let names = try regime.parameters.names(in: model)
    guard case .lora(let rank) = regime.parameters else { return .full(names) }
    var generator = SeededGenerator(seed: seed, for: "LoRA factors")
    return .lora(
      LoRA(
        rank: rank, alpha: Float(rank),
        targets: model.parameters.layout.names.filter(names.contains),
        layout: model.parameters.layout, using: &generator))
  }
}
