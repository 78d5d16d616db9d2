package import Tensors

/// How much of some activations the directions of latents explain where they are active.
extension SparseCodes {
  /// β = d · Σ f y / (‖d‖² Σ f²) of each latent, the least-squares fit of f d to y (Minder et al., 2025, arXiv 2504.02922,
  /// latent scaling); nil of one that is never active or writes nothing.
  ///
  /// - Parameters:
  ///   - directions: d of each latent, shaped `[latents, width]`.
  ///   - activations: y of each row, shaped `[rows, width]`.
  package func scalings(of directions: Tensor, to activations: Tensor) -> [Float?] {
    let sums = Matrix(rows: latents, columns: directions.columns), source = Matrix(activations)
    var squares = [Float](repeating: 0, count: latents)
    for (row, entries) in rows.enumerated() {
      for entry in entries {
        squares[entry.latent] += entry.value * entry.value
        addScaled(
          source.rows(row..<row + 1), by: entry.value,
          to: sums.rows(entry.latent..<entry.latent + 1))
      }
    }
    let products = sums.tensor
    return (0..<latents).map { latent in
      let direction = directions.row(latent), size = dot(direction, direction) * squares[latent]
      return size > 0 ? dot(direction, products.row(latent)) / size : nil
    }
  }
}
