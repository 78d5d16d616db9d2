internal import Foundation
package import Tensors

/// Learns a dictionary from activations in memory.
package struct BatchTopKTrainer {
  /// How a dictionary is learnt.
  ///
  /// What happens at some time of a training is a share of it, so that a short one has it too: of the published 10⁷
  /// silent tokens none is ever counted here.
  package struct Options: Equatable, Sendable {
    package var latents: Int
    /// Active latents of a row, on average over a batch.
    package var sparsity: Int
    package var steps: Int
    /// Rows of a batch.
    package var batch: Int
    package var learningRate: Float
    /// The share of all steps over which the learning rate rises.
    package var warmUp = 0.02
    /// The share of all steps over which the sparsity falls to what it should be, from an eighth of the latents.
    package var annealing = 0.05
    /// The share of all steps after which the threshold follows the batches.
    package var thresholdStart = 0.1
    /// How much of the threshold a step keeps.
    package var thresholdDecay: Float = 0.99
    /// The share of all rows without which a latent counts as dead.
    package var silence = 0.05
    /// The weight of what dead latents explain of what is left over.
    package var auxiliary: Float = 1 / 32

    package init(
      latents: Int, sparsity: Int, steps: Int, batch: Int = 512, learningRate: Float = 1e-3
    ) {
      self.latents = latents
      self.sparsity = sparsity
      self.steps = steps
      self.batch = batch
      self.learningRate = learningRate
    }
  }

  /// What a step did.
  package struct Progress: Equatable, Sendable {
    /// From 1.
    package let step: Int
    /// The mean square of what is left over, of normalised activations: 1 if nothing is explained.
    package let loss: Double
    /// Latents that are dead.
    package let dead: Int
  }

  private let options: Options
  private var state: BatchTopKState
  private var generator: SeededGenerator
  private var silent: [Int]
  private var threshold: Float?
  /// The least scaled score that the last step kept.
  private var least: Float = 0

  /// Learns.
  ///
  /// - Parameters:
  ///   - activations: Of the models side by side, shaped `[rows, models · width]`.
  ///   - models: How many.
  ///   - options: How.
  ///   - generator: Draws directions and batches.
  ///   - progress: Told of each step.
  /// - Returns: The dictionary.
  /// - Precondition: There are rows.
  package static func train(
    on activations: Tensor, models: Int = 1, _ options: Options,
    using generator: inout SeededGenerator, progress: (Progress) -> Void = { _ in }
  ) -> BatchTopKDictionary {
    let normalizer = Normalizer(activations)
    var trainer = BatchTopKTrainer(
      width: activations.columns, models: models, options, SeededGenerator(seed: generator.next()))
    trainer.run(normalizer.normalized(activations), progress)
    // Where nothing was ever kept, there is nothing to be active.
    return trainer.state.dictionary(threshold: trainer.threshold ?? .infinity, normalizer)
  }

  private init(width: Int, models: Int, _ options: Options, _ generator: SeededGenerator) {
    self.options = options
    self.generator = generator
    state = BatchTopKState(
      latents: options.latents, width: width, models: models, using: &self.generator)
    silent = Array(repeating: 0, count: options.latents)
  }

  private mutating func run(_ rows: Tensor, _ progress: (Progress) -> Void) {
    precondition(rows.rows > 0, "Nothing to learn from")
    var order: [Int] = []
    for step in 1...max(1, options.steps) {
      while order.count < options.batch { order += generator.permutation(rows.rows) }
      let batch = rows.rows(at: Array(order.prefix(options.batch)))
      order.removeFirst(options.batch)
      progress(take(step, batch))
    }
  }

  private mutating func take(_ step: Int, _ batch: Tensor) -> Progress {
    let dead = silent.indices.filter { Double(silent[$0]) > silenceLimit }
    let outcome = state.step(
      Matrix(batch), active: sparsity(step) * batch.rows, dead: dead,
      auxiliary: options.auxiliary, guess: Self.caution * least)
    least = outcome.least
    state.update(learningRate: learningRate(step), step: step)
    for latent in silent.indices { silent[latent] += batch.rows }
    for latent in outcome.used { silent[latent] = 0 }
    if Double(step) > options.thresholdStart * Double(options.steps), outcome.least > 0 {
      let kept = options.thresholdDecay
      threshold = threshold.map { kept * $0 + (1 - kept) * outcome.least } ?? outcome.least
    }
    return Progress(step: step, loss: outcome.loss, dead: dead.count)
  }

  /// By which share of a step's least score the next one's may lie below it before all latents are looked at.
  private static let caution: Float = 0.7

  private var silenceLimit: Double {
    options.silence * Double(options.steps) * Double(options.batch)
  }

  private func sparsity(_ step: Int) -> Int {
    let all = options.annealing * Double(options.steps)
    let start = max(options.sparsity, options.latents / 8)
    guard Double(step) < all else { return options.sparsity }
    let share = Double(step) / all
    return Int((Double(start) * (1 - share) + Double(options.sparsity) * share).rounded())
  }

  /// Rises over the warm-up, then falls along half a cosine to a tenth.
  private func learningRate(_ step: Int) -> Float {
    let rise = max(1, options.warmUp * Double(options.steps))
    guard Double(step) > rise else { return options.learningRate * Float(Double(step) / rise) }
    let share = (Double(step) - rise) / max(1, Double(options.steps) - rise)
    let fall = 0.5 * (1 + cos(Double.pi * share))
    return options.learningRate * Float(0.1 + 0.9 * fall)
  }
}
