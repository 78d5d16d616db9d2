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
    package var variant = CrosscoderVariant.batchTopK
    /// The share of all steps over which a penalty rises.
    package var penaltyWarmUp = 0.05

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
  /// By group of latents.
  private var thresholds: [Float?]
  /// The least scaled scores that the last step kept, by group.
  private var least: [Float]
  private let groups: [LatentGroup]
  private var differenceWeight: Float = 0

  /// Learns.
  ///
  /// - Parameters:
  ///   - activations: Of the models side by side, shaped `[rows, models · width]`.
  ///   - models: How many.
  ///   - targets: What is to be written, shaped as the activations; these themselves if nil.
  ///   - start: What is taken further, whose normalisers stay; a new dictionary if nil.
  ///   - options: How.
  ///   - generator: Draws directions and batches.
  ///   - progress: Told of each step.
  /// - Returns: The dictionary.
  /// - Precondition: There are rows. Variants other than the first and `l1` are of two models, and their own latents leave some
  ///   to the others. A dictionary that is taken further has one threshold for all latents, and is no transcoder unless
  ///   there are targets.
  package static func train(
    on activations: Tensor, models: Int = 1, writing targets: Tensor? = nil,
    from start: BatchTopKDictionary? = nil, _ options: Options,
    using generator: inout SeededGenerator, progress: (Progress) -> Void = { _ in }
  ) -> BatchTopKDictionary {
    options.variant.check(models: models, latents: options.latents)
    start.map { check($0, options, hasTargets: targets != nil) }
    let input = start?.normalizer ?? Normalizer(activations)
    let output = start?.outputNormalizer ?? targets.map(Normalizer.init) ?? input
    var trainer = BatchTopKTrainer(
      width: activations.columns, models: models, from: start, options,
      SeededGenerator(seed: generator.next()))
    trainer.run(
      input.normalized(activations), targets.map(output.normalized), progress)
    return trainer.state.dictionary(thresholds: trainer.latentThresholds, [input, output])
  }

  private init(
    width: Int, models: Int, from start: BatchTopKDictionary?, _ options: Options,
    _ generator: SeededGenerator
  ) {
    self.options = options
    self.generator = generator
    let latents = start?.latents ?? options.latents
    state =
      start.map(BatchTopKState.init)
      ?? BatchTopKState(
        latents: latents, width: width, models: models,
        exclusive: options.variant.exclusive(of: latents), using: &self.generator)
    silent = Array(repeating: 0, count: latents)
    groups = options.variant.groups(of: latents, sparsity: options.sparsity)
    // Where nothing was ever active, there is no threshold to go on from.
    let threshold = start?.thresholds.scalars.first.flatMap { $0.isFinite ? $0 : nil }
    thresholds = groups.map { _ in threshold }
    least = groups.map { _ in 0 }
  }

  private static func check(
    _ start: BatchTopKDictionary, _ options: Options, hasTargets: Bool
  ) {
    precondition(
      options.variant == .batchTopK && Set(start.thresholds.scalars).count <= 1,
      "Dictionaries whose latents differ in kind are not taken further")
    precondition(
      hasTargets || start.normalizer == start.outputNormalizer, "A transcoder needs targets")
  }

  /// Where nothing was ever kept, there is nothing to be active; where a penalty makes codes sparse, all above 0 is.
  private var latentThresholds: [Float] {
    if case .l1 = options.variant { return Array(repeating: 0, count: state.latents) }
    return zip(groups, thresholds).flatMap {
      Array(repeating: $1 ?? .infinity, count: $0.latents.count)
    }
  }

  private mutating func run(_ rows: Tensor, _ targets: Tensor?, _ progress: (Progress) -> Void) {
    precondition(rows.rows > 0, "Nothing to learn from")
    differenceWeight = weightOfDifference(in: targets ?? rows)
    var order: [Int] = []
    for step in 1...max(1, options.steps) {
      while order.count < options.batch { order += generator.permutation(rows.rows) }
      let indices = Array(order.prefix(options.batch))
      order.removeFirst(options.batch)
      let input = Matrix(rows.rows(at: indices))
      progress(
        take(
          step,
          LearningBatch(
            input: input, target: targets.map { Matrix($0.rows(at: indices)) } ?? input)))
    }
  }

  /// What is left of the difference counts as much as of all, both as shares of what there is.
  private func weightOfDifference(in rows: Tensor) -> Float {
    guard case .delta(_, _, let weight) = options.variant else { return 0 }
    let difference = sumOfSquares(BatchTopKState.difference(Matrix(rows)))
    return difference > 0 ? weight * Float(sumOfSquares(Matrix(rows)) / difference) : 0
  }

  private mutating func take(_ step: Int, _ batch: LearningBatch) -> Progress {
    let dead = silent.indices.filter { Double(silent[$0]) > silenceLimit }
    let outcome = gradients(step, batch, dead)
    least = outcome.least
    state.update(learningRate: learningRate(step), step: step)
    for latent in silent.indices { silent[latent] += batch.input.rows }
    for latent in outcome.used { silent[latent] = 0 }
    if Double(step) > options.thresholdStart * Double(options.steps) { followThresholds() }
    return Progress(step: step, loss: outcome.loss, dead: dead.count)
  }

  private func gradients(_ step: Int, _ batch: LearningBatch, _ dead: [Int])
    -> BatchTopKState.Outcome
  {
    if case .l1(let penalty) = options.variant {
      let rise = max(1, options.penaltyWarmUp * Double(options.steps))
      return state.step(batch, penalty: penalty * Float(min(1, Double(step) / rise)))
    }
    let budgets = zip(groups, least).map { group, least in
      LatentBudget(
        latents: group.latents,
        count: Int((sparsity(step, of: group) * Double(batch.input.rows)).rounded()),
        guess: Self.caution * least)
    }
    return state.step(
      batch,
      LearningStep(
        budgets: budgets, dead: dead, auxiliary: options.auxiliary,
        difference: (options.variant.difference(of: state.latents), differenceWeight)))
  }

  private mutating func followThresholds() {
    let kept = options.thresholdDecay
    for (group, least) in least.enumerated() where least > 0 {
      thresholds[group] = thresholds[group].map { kept * $0 + (1 - kept) * least } ?? least
    }
  }

  /// By which share of a step's least score the next one's may lie below it before all latents are looked at.
  private static let caution: Float = 0.7

  private var silenceLimit: Double {
    options.silence * Double(options.steps) * Double(options.batch)
  }

  /// Falls to a group's own, in whole numbers.
  private func sparsity(_ step: Int, of group: LatentGroup) -> Double {
    let all = options.annealing * Double(options.steps), share = Double(step) / all
    guard group.isAnnealed, Double(step) < all else { return group.sparsity }
    let start = max(group.sparsity, Double(group.latents.count / 8))
    return (start * (1 - share) + group.sparsity * share).rounded()
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
