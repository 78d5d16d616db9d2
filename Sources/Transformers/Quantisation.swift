internal import Tensors

extension Parameters {
  /// The same weights after a round trip through integers of 8 bits, one scale a row.
  ///
  /// Symmetric rounding to nearest of every matrix (Dettmers et al., 2022, without outliers); vectors
  /// stay.
  package func quantised() -> Parameters {
    var quantised = self
    for entry in layout.entries where entry.shape.count == 2 {
      var tensor = self[entry.name]
      for row in 0..<tensor.rows {
        let largest = tensor.row(row).map(abs).max() ?? 0
        guard largest > 0 else { continue }
        let scale = largest / 127
        for column in 0..<tensor.columns {
          tensor[row, column] = (tensor[row, column] / scale).rounded() * scale
        }
      }
      quantised[entry.name] = tensor
    }
    return quantised
  }
}
