internal import Tensors

extension BatchTopKState {
  /// Adds the gradients of weight · the mean over rows of ‖(yᶠ − yᵇ) − Σ f (dᶠ − dᵇ)‖², the sum over some latents alone.
  func addDifferenceGradient(
    _ difference: (latents: Range<Int>, weight: Float), _ entries: [ActiveLatent],
    _ batch: LearningBatch
  ) {
    guard !difference.latents.isEmpty, difference.weight > 0 else { return }
    let own = entries.filter { difference.latents.contains($0.latent) }
    let change = Self.difference(decoder.values)
    let rest = Self.difference(batch.target)
    rest.scale(by: -1)
    for entry in own {
      addScaled(
        change.rows(entry.latent..<entry.latent + 1), by: entry.value,
        to: rest.rows(entry.row..<entry.row + 1))
    }
    let factor = 2 * difference.weight / Float(batch.input.rows), width = rest.columns
    let rests = rest.tensor, directions = change.tensor
    for entry in own {
      let latent = entry.latent..<entry.latent + 1, row = entry.row..<entry.row + 1
      for (model, sign) in [(0, Float(-1)), (1, 1)] {
        addScaled(
          rest.rows(row), by: sign * factor * entry.value,
          to: decoder.gradient.rows(latent).columns(model * width..<(model + 1) * width))
      }
      let slope = factor * dot(directions.row(entry.latent), rests.row(entry.row))
      addScaled(batch.input.rows(row), by: slope, to: encoder.gradient.rows(latent))
      encoderBias.gradient[0, entry.latent] += slope
    }
  }

  /// The second model's part less the first one's, shaped `[rows, width]`.
  static func difference(_ sideBySide: Matrix) -> Matrix {
    let width = sideBySide.columns / 2
    let result = Matrix(undefinedRows: sideBySide.rows, columns: width)
    result.copy(sideBySide.columns(width..<2 * width))
    addScaled(sideBySide.columns(0..<width), by: -1, to: result)
    return result
  }
}
