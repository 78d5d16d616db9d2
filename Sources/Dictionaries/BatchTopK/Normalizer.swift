package import Tensors

/// Makes activations of one or several models alike in size before a dictionary learns them: of each model the mean is
/// taken off, and all are divided by one number.
///
/// One number for all models, since a change of size between them is a finding.
package struct Normalizer: Equatable, Sendable {
  /// The mean activation of the models side by side, shaped `[models · width]`.
  package let mean: Tensor
  /// What the rest is multiplied by, so that an entry's square is 1 on average.
  package let scale: Float

  /// Takes numbers as they are.
  package init(mean: Tensor, scale: Float) {
    self.mean = mean
    self.scale = scale
  }

  /// Measures activations.
  ///
  /// - Parameter activations: Shaped `[rows, models · width]`.
  package init(_ activations: Tensor) {
    mean = activations.rows > 0 ? activations.meanRow : Tensor(shape: [activations.columns])
    let rest = activations.addingToRows(mean, scaled: -1)
    let square = sumOfSquares(Matrix(rest)) / Double(max(1, rest.count))
    scale = square > 0 ? Float(1 / square.squareRoot()) : 1
  }

  /// Activations as a dictionary sees them.
  package func normalized(_ activations: Tensor) -> Tensor {
    activations.addingToRows(mean, scaled: -1).scaled(by: scale)
  }

  /// What a dictionary's output stands for.
  package func restored(_ normalized: Tensor) -> Tensor {
    normalized.scaled(by: 1 / scale).addingToRows(mean)
  }
}
