internal import Tensors

/// A dictionary that is being learnt: its numbers, their gradients, and what the optimiser keeps.
struct BatchTopKState {
  /// What a step on a batch found.
  struct Outcome {
    /// The mean square of what is left over.
    let loss: Double
    /// Latents that were active somewhere.
    let used: [Int]
    /// The least scaled score of an active latent.
    let least: Float
  }

  let encoder, encoderBias, decoder, decoderBias: LearntMatrix
  /// How many models lie side by side.
  private let models: Int
  var all: [LearntMatrix] { [encoder, encoderBias, decoder, decoderBias] }

  /// Every latent starts with one random direction in all models, and reads along what it writes.
  init(latents: Int, width: Int, models: Int, using generator: inout SeededGenerator) {
    self.models = models
    let one = (0..<latents).map { _ in generator.direction(width / models, norm: 1).scalars }
    let directions = Tensor(
      shape: [latents, width],
      scalars: one.flatMap { row in (0..<models).flatMap { _ in row } })
    decoder = LearntMatrix(directions)
    encoder = LearntMatrix(directions.scaled(by: 1 / Float(models)))
    encoderBias = LearntMatrix(Tensor(shape: [1, latents]))
    decoderBias = LearntMatrix(Tensor(shape: [1, width]))
  }

  /// The dictionary as it is.
  func dictionary(threshold: Float, _ normalizer: Normalizer) -> BatchTopKDictionary {
    let latents = encoder.values.rows, width = encoder.values.columns
    return BatchTopKDictionary(
      models: models, encoder: encoder.values.tensor,
      encoderBias: encoderBias.values.tensor.reshaped([latents]), decoder: decoder.values.tensor,
      decoderBias: decoderBias.values.tensor.reshaped([width]), threshold: threshold,
      normalizer: normalizer)
  }

  /// Finds the gradients of a batch's loss: the mean over rows of ‖x − x̂‖², and of what dead latents leave of that.
  ///
  /// - Parameters:
  ///   - batch: Normalised, shaped `[rows, models · width]`.
  ///   - active: Latents that are kept over the whole batch.
  ///   - dead: Latents that are to be revived.
  ///   - auxiliary: The weight of their part.
  func step(_ batch: Matrix, active: Int, dead: [Int], auxiliary: Float) -> Outcome {
    all.forEach { $0.gradient.fill(0) }
    let activations = activations(of: batch)
    let kept = KeptLatents(
      activations, norms: BatchTopKDictionary.norms(decoder.values, models: models),
      count: active)
    let rest = residual(of: batch, kept.entries)
    addToRows(decoderBias.values, of: rest)
    let factor = 2 / Float(batch.rows)
    addGradient(of: rest, kept.entries, batch, times: factor)
    addScaled(sumOfRows(rest), by: factor, to: decoderBias.gradient)
    if !dead.isEmpty {
      revive(dead, activations, rest, batch, weight: auxiliary)
    }
    return Outcome(
      loss: sumOfSquares(rest) / Double(max(1, rest.count)), used: kept.used, least: kept.least)
  }

  /// wⱼ · x + bⱼ, shaped `[rows, latents]`.
  private func activations(of batch: Matrix) -> Tensor {
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

  private func sumOfRows(_ matrix: Matrix) -> Matrix {
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

  /// Lets dead latents explain what is left over.
  ///
  /// Of each row the most active of them do, half as many as an activation has numbers, whatever they would be worth
  /// beside the others. What they leave is measured in what there was.
  private func revive(
    _ dead: [Int], _ activations: Tensor, _ rest: Matrix, _ batch: Matrix, weight: Float
  ) {
    let most = max(1, batch.columns / 2)
    let entries = (0..<activations.rows).flatMap { row -> [ActiveLatent] in
      let own = activations.row(row), start = own.startIndex
      let values = dead.map { max(0, own[start + $0]) }
      return values.indices.filter { values[$0] > 0 }
        .sorted { (values[$0], -$0) > (values[$1], -$1) }.prefix(most)
        .map { ActiveLatent(row: row, latent: dead[$0], value: values[$0]) }
    }
    // What is to be explained is x − x̂, which counts as given.
    let target = Matrix(rows: rest.rows, columns: rest.columns)
    addScaled(rest, by: -1, to: target)
    let left = residual(of: target, entries)
    let size = max(sumOfSquares(target), 1e-12)
    addGradient(of: left, entries, batch, times: Float(2 * Double(weight) / size))
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

/// Numbers that are learnt.
struct LearntMatrix {
  let values, gradient: Matrix
  private let mean, variance: Matrix

  init(_ start: Tensor) {
    values = Matrix(start)
    func zeros() -> Matrix { Matrix(rows: start.rows, columns: start.columns) }
    (gradient, mean, variance) = (zeros(), zeros(), zeros())
  }

  func update(_ step: AdamWStep) {
    step.update(values, gradient: gradient, mean: mean, variance: variance)
  }
}

/// A latent that is active in a row.
struct ActiveLatent: Equatable {
  let row, latent: Int
  let value: Float
}

/// The latents of a batch that BatchTopK keeps.
struct KeptLatents {
  private(set) var entries: [ActiveLatent] = []
  /// Latents that are kept somewhere.
  let used: [Int]
  /// The least scaled score that is kept.
  let least: Float

  /// - Parameters:
  ///   - activations: Shaped `[rows, latents]`.
  ///   - norms: What each latent's activation is scaled by before it is compared.
  ///   - count: How many are kept of the whole batch.
  init(_ activations: Tensor, norms: [Float], count: Int) {
    let latents = norms.count
    var scores = activations.scalars
    for start in stride(from: 0, to: scores.count, by: latents) {
      for latent in 0..<latents {
        scores[start + latent] = max(0, scores[start + latent]) * norms[latent]
      }
    }
    let bound = max(Selection.least(ofLargest: count, of: scores), .leastNonzeroMagnitude)
    var used = [Bool](repeating: false, count: latents), least = Float.infinity
    entries.reserveCapacity(count)
    for row in 0..<activations.rows {
      for latent in 0..<latents where scores[row * latents + latent] >= bound {
        let place = row * latents + latent
        used[latent] = true
        least = min(least, scores[place])
        entries.append(
          ActiveLatent(row: row, latent: latent, value: activations.scalars[place]))
      }
    }
    self.used = used.indices.filter { used[$0] }
    self.least = least.isFinite ? least : 0
  }
}
