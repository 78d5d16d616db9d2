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
  ///   - guess: A score that is probably below those of the latents that are kept.
  func step(_ batch: Matrix, active: Int, dead: [Int], auxiliary: Float, guess: Float = 0)
    -> Outcome
  {
    all.forEach { $0.gradient.fill(0) }
    let activations = activations(of: batch)
    let kept = KeptLatents(
      activations, norms: BatchTopKDictionary.norms(decoder.values, models: models),
      count: active, guess: guess)
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
  /// Of each row the most active of them do, half as many as one model's activation has numbers, whatever they would be worth
  /// beside the others. What they leave is measured in what there was. They are many a row, unlike those that are kept,
  /// so products of whole matrices are the quicker way.
  private func revive(
    _ dead: [Int], _ activations: Tensor, _ rest: Matrix, _ batch: Matrix, weight: Float
  ) {
    let values = mostActive(dead, activations, of: max(1, batch.columns / models / 2))
    let directions = Matrix(decoder.values.tensor.rows(at: dead))
    // What is to be explained is x − x̂, which counts as given.
    let left = Matrix(undefinedRows: rest.rows, columns: rest.columns)
    left.copy(rest)
    multiply(values, directions, into: left, accumulating: true)
    let factor = Float(2 * Double(weight) / max(sumOfSquares(rest), 1e-12))
    left.scale(by: factor)
    let slopes = Matrix(undefinedRows: values.rows, columns: values.columns)
    multiply(left, directions, into: slopes, transposingB: true)
    for row in 0..<values.rows {
      for latent in 0..<values.columns where values[row, latent] == 0 { slopes[row, latent] = 0 }
    }
    add(products: values, left, to: decoder.gradient, at: dead)
    add(products: slopes, batch, to: encoder.gradient, at: dead)
    let sums = sumOfRows(slopes)
    for (place, latent) in dead.enumerated() {
      encoderBias.gradient[0, latent] += sums[0, place]
    }
  }

  /// The activations of some latents, of each row but the largest 0; shaped `[rows, latents]`.
  private func mostActive(_ latents: [Int], _ activations: Tensor, of most: Int) -> Matrix {
    let result = Matrix(rows: activations.rows, columns: latents.count)
    for row in 0..<activations.rows {
      let own = activations.row(row), start = own.startIndex
      let values = latents.map { max(0, own[start + $0]) }
      let bound = Selection.least(ofLargest: most, of: values)
      for (place, value) in values.enumerated() where value >= bound { result[row, place] = value }
    }
    return result
  }

  /// Adds aᵀ b to some rows of a gradient.
  private func add(products a: Matrix, _ b: Matrix, to gradient: Matrix, at rows: [Int]) {
    let product = Matrix(undefinedRows: a.columns, columns: b.columns)
    multiply(a, b, into: product, transposingA: true)
    for (place, row) in rows.enumerated() {
      addScaled(product.rows(place..<place + 1), to: gradient.rows(row..<row + 1))
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
  let entries: [ActiveLatent]
  /// Latents that are kept somewhere.
  let used: [Int]
  /// The least scaled score that is kept.
  let least: Float

  /// - Parameters:
  ///   - activations: Shaped `[rows, latents]`.
  ///   - norms: What each latent's activation is scaled by before it is compared.
  ///   - count: How many are kept of the whole batch.
  ///   - guess: A score that is probably below those that are kept, so that few have to be looked at twice.
  init(_ activations: Tensor, norms: [Float], count: Int, guess: Float = 0) {
    var scored = ScoredLatents(activations, norms: norms, above: guess)
    if scored.entries.count < count, guess > 0 {
      scored = ScoredLatents(activations, norms: norms, above: 0)
    }
    let bound = Selection.least(ofLargest: count, of: scored.scores)
    let kept = scored.scores.indices.filter { scored.scores[$0] >= bound }
    entries = kept.map { scored.entries[$0] }
    var isUsed = [Bool](repeating: false, count: norms.count)
    for entry in entries { isUsed[entry.latent] = true }
    used = isUsed.indices.filter { isUsed[$0] }
    least = kept.lazy.map { scored.scores[$0] }.min() ?? 0
  }
}

/// The latents of a batch whose scaled scores exceed some number, and these scores.
private struct ScoredLatents {
  private(set) var entries: [ActiveLatent] = []
  private(set) var scores: [Float] = []

  init(_ activations: Tensor, norms: [Float], above least: Float) {
    var place = 0
    for row in 0..<activations.rows {
      for latent in norms.indices {
        let value = activations.scalars[place], score = value * norms[latent]
        place += 1
        guard score > least else { continue }
        entries.append(ActiveLatent(row: row, latent: latent, value: value))
        scores.append(score)
      }
    }
  }
}
