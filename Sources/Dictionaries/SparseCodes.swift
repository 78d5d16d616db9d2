package import Tensors

/// Activations as few latents each: of every row, which latents are active and how strongly.
package struct SparseCodes: Equatable, Sendable {
  /// An active latent.
  package struct Entry: Equatable, Sendable {
    package let latent: Int
    /// Its coefficient; of matching pursuit it may be negative.
    package let value: Float

    package init(latent: Int, value: Float) {
      self.latent = latent
      self.value = value
    }
  }

  /// How many latents there are, active or not.
  package let latents: Int
  /// The active latents of each row.
  package let rows: [[Entry]]

  /// - Precondition: Every entry's latent is below `latents`.
  package init(latents: Int, rows: [[Entry]]) {
    self.latents = latents
    self.rows = rows
  }

  /// The mean over some rows of a function of each latent's coefficient that is 0 at 0; shaped `[latents]`.
  package func means(
    over rows: some Collection<Int>, of transform: (Float) -> Float = { $0 }
  ) -> [Float] {
    var sums = [Double](repeating: 0, count: latents)
    for row in rows {
      for entry in self.rows[row] { sums[entry.latent] += Double(transform(entry.value)) }
    }
    return sums.map { Float($0 / Double(max(1, rows.count))) }
  }

  /// The same over all rows.
  package func means(of transform: (Float) -> Float = { $0 }) -> [Float] {
    means(over: rows.indices, of: transform)
  }

  /// The mean number of active latents of a row, known as L0.
  package var meanActive: Double {
    Double(rows.reduce(0) { $0 + $1.count }) / Double(max(1, rows.count))
  }

  /// All coefficients, shaped `[rows, latents]`.
  package var dense: Tensor {
    var tensor = Tensor(shape: [rows.count, latents])
    for (row, entries) in rows.enumerated() {
      for entry in entries { tensor[row, entry.latent] = entry.value }
    }
    return tensor
  }

  /// What the codes stand for: the sum of each row's latents times their directions.
  ///
  /// - Parameter directions: Shaped `[latents, width]`.
  /// - Returns: Shaped `[rows, width]`.
  package func decoded(_ directions: Tensor) -> Tensor {
    let width = directions.columns, source = Matrix(directions)
    let sum = Matrix(rows: rows.count, columns: width)
    for (row, entries) in rows.enumerated() {
      for entry in entries {
        addScaled(
          source.rows(entry.latent..<entry.latent + 1), by: entry.value,
          to: sum.rows(row..<row + 1))
      }
    }
    return sum.tensor
  }
}

/// The share of activations' variance about their mean that a reconstruction leaves unexplained.
///
/// - Parameters:
///   - reconstruction: Shaped as the activations.
///   - activations: Shaped `[rows, width]`.
/// - Returns: Σ‖x − x̂‖² / Σ‖x − x̄‖²; 0 of activations that do not vary and are met.
package func unexplainedVariance(_ reconstruction: Tensor, of activations: Tensor) -> Double {
  let rest = Double(squaredDistance(Matrix(reconstruction), Matrix(activations)))
  let centred = Matrix(activations.addingToRows(activations.meanRow, scaled: -1))
  return rest > 0 ? rest / max(sumOfSquares(centred), .leastNormalMagnitude) : 0
}
