internal import Tensors

/// Gradients of latents that are active in many rows: products of whole matrices are the quicker way.
extension BatchTopKState {
  /// Finds the gradients of a batch's loss where all latents above 0 are active: the mean over rows of
  /// ‖y − x̂‖² + penalty · Σ f Σₘ ‖dᵐ‖.
  func step(_ batch: LearningBatch, penalty: Float) -> Outcome {
    all.forEach { $0.gradient.fill(0) }
    let values = Matrix(activations(of: batch.input).map { max(0, $0) })
    let rest = Matrix(undefinedRows: values.rows, columns: decoder.values.columns)
    multiply(values, decoder.values, into: rest)
    addScaled(batch.target, by: -1, to: rest)
    addToRows(decoderBias.values, of: rest)
    let loss = sumOfSquares(rest) / Double(max(1, rest.count)), rows = Float(values.rows)
    rest.scale(by: 2 / rows)
    addGradient(
      of: rest, values, batch.input, at: Array(0..<latents),
      slopes: norms.map { penalty / rows * $0 })
    addScaled(sumOfRows(rest), to: decoderBias.gradient)
    let sums = sumOfRows(values)
    addNormGradient(times: (0..<latents).map { penalty / rows * sums[0, $0] })
    return Outcome(
      loss: loss, used: (0..<latents).filter { sums[0, $0] > 0 }, least: [0])
  }

  /// Adds a multiple of each latent's gradient of Σₘ ‖dᵐ‖.
  private func addNormGradient(times factors: [Float]) {
    let width = decoder.values.columns / models
    for model in 0..<models {
      let own = model * width..<(model + 1) * width
      let directions = decoder.values.columns(own), gradient = decoder.gradient.columns(own)
      for (latent, norm) in directions.tensor.rowNorms.enumerated() where norm > 0 {
        addScaled(
          directions.rows(latent..<latent + 1), by: factors[latent] / norm,
          to: gradient.rows(latent..<latent + 1))
      }
    }
  }

  /// Lets dead latents explain what is left over.
  ///
  /// Of each row the most active of them do, half as many as one model's activation has numbers, whatever they would be worth
  /// beside the others. What they leave is measured in what there was.
  func revive(
    _ dead: [Int], _ activations: Tensor, _ rest: Matrix, _ batch: Matrix, weight: Float
  ) {
    let values = mostActive(dead, activations, of: max(1, batch.columns / models / 2))
    // What is to be explained is x − x̂, which counts as given.
    let left = Matrix(undefinedRows: rest.rows, columns: rest.columns)
    left.copy(rest)
    multiply(
      values, Matrix(decoder.values.tensor.rows(at: dead)), into: left, accumulating: true)
    left.scale(by: Float(2 * Double(weight) / max(sumOfSquares(rest), 1e-12)))
    addGradient(of: left, values, batch, at: dead)
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

  /// Adds the gradients of a loss by some latents, of which it is given by what they write.
  ///
  /// - Parameters:
  ///   - left: The loss's gradient by what is written, shaped `[rows, models · width]`.
  ///   - values: How active they are, 0 where they are not, shaped `[rows, latents]`.
  ///   - latents: Which they are.
  ///   - slopes: The loss's gradient by each one's activity, besides what it writes; none if empty.
  private func addGradient(
    of left: Matrix, _ values: Matrix, _ batch: Matrix, at latents: [Int], slopes own: [Float] = []
  ) {
    let slopes = Matrix(undefinedRows: values.rows, columns: values.columns)
    multiply(
      left, Matrix(decoder.values.tensor.rows(at: latents)), into: slopes, transposingB: true)
    if !own.isEmpty { addToRows(Matrix(Tensor(shape: [1, own.count], scalars: own)), of: slopes) }
    for row in 0..<values.rows {
      for latent in 0..<values.columns where values[row, latent] == 0 { slopes[row, latent] = 0 }
    }
    add(products: values, left, to: decoder.gradient, at: latents)
    add(products: slopes, batch, to: encoder.gradient, at: latents)
    let sums = sumOfRows(slopes)
    for (place, latent) in latents.enumerated() {
      encoderBias.gradient[0, latent] += sums[0, place]
    }
  }

  /// Adds aᵀ b to some rows of a gradient.
  private func add(products a: Matrix, _ b: Matrix, to gradient: Matrix, at rows: [Int]) {
    let product = Matrix(undefinedRows: a.columns, columns: b.columns)
    multiply(a, b, into: product, transposingA: true)
    for (place, row) in rows.enumerated() {
      addScaled(product.rows(place..<place + 1), to: gradient.rows(row..<row + 1))
    }
  }
}
