internal import Tensors

/// What a step learns from, normalised.
struct LearningBatch {
  /// What is read, shaped `[rows, models · width]`.
  let input: Matrix
  /// What is to be written, shaped as what is read.
  let target: Matrix
}

/// What a step minds besides a batch.
struct LearningStep {
  /// Of each group of latents what is kept.
  var budgets: [LatentBudget]
  /// Latents that are to be revived.
  var dead: [Int] = []
  /// The weight of their part.
  var auxiliary: Float = 0
  /// Latents that explain the models' difference by themselves, and the weight of what they leave of it.
  var difference: (latents: Range<Int>, weight: Float) = (0..<0, 0)
}

/// A dictionary that is being learnt: its numbers, their gradients, and what the optimiser keeps.
struct BatchTopKState {
  /// What a step on a batch found.
  struct Outcome {
    /// The mean square of what is left over.
    let loss: Double
    /// Latents that were active somewhere.
    let used: [Int]
    /// The least scaled score of an active latent, by group.
    let least: [Float]
  }

  let encoder, encoderBias, decoder, decoderBias: LearntMatrix
  /// How many models lie side by side.
  let models: Int
  /// The latents that live in one model alone, by model.
  private let exclusive: [Range<Int>]
  var all: [LearntMatrix] { [encoder, encoderBias, decoder, decoderBias] }

  /// Every latent starts with one random direction in all models where it lives, and reads along what it writes.
  init(
    latents: Int, width: Int, models: Int, exclusive: [Range<Int>] = [],
    using generator: inout SeededGenerator
  ) {
    self.models = models
    self.exclusive = exclusive
    let one = (0..<latents).map { _ in generator.direction(width / models, norm: 1).scalars }
    let directions = Tensor(
      shape: [latents, width],
      scalars: one.flatMap { row in (0..<models).flatMap { _ in row } })
    decoder = LearntMatrix(directions)
    encoder = LearntMatrix(directions.scaled(by: 1 / Float(models)))
    encoderBias = LearntMatrix(Tensor(shape: [1, latents]))
    decoderBias = LearntMatrix(Tensor(shape: [1, width]))
    clear([encoder.values, decoder.values])
  }

  /// Takes a dictionary further whose latents live in all models.
  init(_ dictionary: BatchTopKDictionary) {
    models = dictionary.models
    exclusive = []
    encoder = LearntMatrix(dictionary.encoder)
    decoder = LearntMatrix(dictionary.decoder)
    encoderBias = LearntMatrix(dictionary.encoderBias.reshaped([1, dictionary.latents]))
    decoderBias = LearntMatrix(dictionary.decoderBias.reshaped([1, dictionary.decoder.columns]))
  }

  var latents: Int { encoder.values.rows }
  var norms: [Float] { BatchTopKDictionary.norms(decoder.values, models: models) }

  /// The dictionary as it is.
  func dictionary(thresholds: [Float], _ normalizers: [Normalizer]) -> BatchTopKDictionary {
    let width = encoder.values.columns
    return BatchTopKDictionary(
      models: models, encoder: encoder.values.tensor,
      encoderBias: encoderBias.values.tensor.reshaped([latents]), decoder: decoder.values.tensor,
      decoderBias: decoderBias.values.tensor.reshaped([width]), thresholds: Tensor(thresholds),
      normalizer: normalizers[0], outputNormalizer: normalizers[1])
  }

  /// Finds the gradients of a batch's loss: the mean over rows of ‖y − x̂‖², of what dead latents leave of that, and of what
  /// some leave of the models' difference.
  func step(_ batch: LearningBatch, _ step: LearningStep) -> Outcome {
    all.forEach { $0.gradient.fill(0) }
    let activations = activations(of: batch.input), norms = norms
    let kept = step.budgets.map { KeptLatents(activations, norms: norms, $0) }
    let entries = kept.flatMap(\.entries)
    let rest = residual(of: batch.target, entries)
    addToRows(decoderBias.values, of: rest)
    let factor = 2 / Float(batch.input.rows)
    addGradient(of: rest, entries, batch.input, times: factor)
    addScaled(sumOfRows(rest), by: factor, to: decoderBias.gradient)
    addDifferenceGradient(step.difference, entries, batch)
    if !step.dead.isEmpty, step.auxiliary > 0 {
      revive(step.dead, activations, rest, batch.input, weight: step.auxiliary)
    }
    clear([encoder.gradient, decoder.gradient])
    return Outcome(
      loss: sumOfSquares(rest) / Double(max(1, rest.count)), used: kept.flatMap(\.used),
      least: kept.map(\.least))
  }

  /// Keeps latents out of the models where they do not live.
  private func clear(_ matrices: [Matrix]) {
    for (model, latents) in exclusive.enumerated() {
      for matrix in matrices {
        let width = matrix.columns / models, own = matrix.rows(latents)
        for other in 0..<models where other != model {
          own.columns(other * width..<(other + 1) * width).fill(0)
        }
      }
    }
  }

  /// wⱼ · x + bⱼ, shaped `[rows, latents]`.
  func activations(of batch: Matrix) -> Tensor {
    let result = Matrix(undefinedRows: batch.rows, columns: encoder.values.rows)
    multiply(batch, encoder.values, into: result, transposingB: true)
    addToRows(encoderBias.values, of: result)
    return result.tensor
  }

  /// What latents write, less what they should.
  private func residual(of target: Matrix, _ entries: [ActiveLatent]) -> Matrix {
    let result = Matrix(rows: target.rows, columns: target.columns)
    addScaled(target, by: -1, to: result)
    for entry in entries {
      addScaled(
        decoder.values.rows(entry.latent..<entry.latent + 1), by: entry.value,
        to: result.rows(entry.row..<entry.row + 1))
    }
    return result
  }

  func sumOfRows(_ matrix: Matrix) -> Matrix {
    let sum = Matrix(rows: 1, columns: matrix.columns)
    addSumOfRows(of: matrix, to: sum)
    return sum
  }

  /// Adds the gradients of Σ ‖rest‖² / 2 by the latents that are active: of dⱼ it is fⱼ · rest, of fⱼ it is
  /// dⱼ · rest, which wⱼ · x + bⱼ has as well, since an active latent is above 0.
  private func addGradient(
    of rest: Matrix, _ entries: [ActiveLatent], _ batch: Matrix, times factor: Float
  ) {
    let rests = rest.tensor, directions = decoder.values.tensor
    for entry in entries {
      let latent = entry.latent..<entry.latent + 1, row = entry.row..<entry.row + 1
      let slope = factor * dot(directions.row(entry.latent), rests.row(entry.row))
      addScaled(rest.rows(row), by: factor * entry.value, to: decoder.gradient.rows(latent))
      addScaled(batch.rows(row), by: slope, to: encoder.gradient.rows(latent))
      encoderBias.gradient[0, entry.latent] += slope
    }
  }

  /// The largest norm of all gradients together.
  private static var longest: Double { 1 }

  /// Takes a step along the gradients.
  ///
  /// - Parameter step: From 1.
  func update(learningRate: Float, step: Int) {
    let norm = all.reduce(0) { $0 + sumOfSquares($1.gradient) }.squareRoot()
    let settings = AdamWStep(
      learningRate: learningRate, betas: (0.9, 0.999), weightDecay: 0, step: step,
      gradientScale: Float(norm > Self.longest ? Self.longest / norm : 1))
    for matrix in all { matrix.update(settings) }
  }
}
