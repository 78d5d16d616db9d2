internal import Tensors

/// A linear classifier of states: ridge regression of one-hot labels on centred inputs.
///
/// W = argmin ‖X W − Y‖² + λ‖W‖² = (XᵀX + λ)⁻¹ Xᵀ Y for centred states X, [examples, width], and labels Y,
/// [examples, classes]. With X = U S Vᵀ that is V (S / (S² + λ)) Uᵀ Y: no matrix is inverted. Y is not centred, so
/// the mean of the labels, the classes' priors, is what a state at the mean scores.
struct LinearProbe {
  private let mean: Tensor
  private let priors: [Float]
  /// Shaped `[width, classes]`.
  private let weights: Tensor

  /// Added to the squared singular values, as a share of their mean.
  private static let ridge: Float = 0.01

  /// Learns to tell classes apart.
  ///
  /// - Parameters:
  ///   - states: Shaped `[examples, width]`.
  ///   - labels: The class of each example.
  ///   - classes: How many there are.
  init(_ states: Tensor, labels: [Int], classes: Int) throws(DecompositionError) {
    let mean = states.meanRow
    var targets = Tensor(shape: [labels.count, classes])
    for (row, label) in labels.enumerated() { targets[row, label] = 1 }
    priors = targets.meanRow.scalars
    let parts = try SingularValueDecomposition(Self.centred(states, mean))
    let squares = parts.values.scalars.map { $0 * $0 }
    let floor = Self.ridge * squares.reduce(0, +) / Float(squares.count)
    var projected = matrixProduct(parts.left, targets, transposingA: true)
    for row in 0..<projected.rows {
      let factor = parts.values[row] / (squares[row] + floor)
      for column in 0..<classes { projected[row, column] *= factor }
    }
    weights = matrixProduct(parts.right, projected, transposingA: true)
    self.mean = mean
  }

  private static func centred(_ states: Tensor, _ mean: Tensor) -> Tensor {
    Tensor(
      shape: states.shape,
      scalars: (0..<states.rows).flatMap { zip(states.row($0), mean.scalars).map(-) })
  }

  /// The score of each class for each state, shaped `[states, classes]`.
  func scores(_ states: Tensor) -> Tensor {
    var scores = matrixProduct(Self.centred(states, mean), weights)
    for row in 0..<scores.rows {
      for column in priors.indices { scores[row, column] += priors[column] }
    }
    return scores
  }

  /// How a change of a state changes the scores, shaped `[changes, classes]`.
  func scores(ofChange changes: Tensor) -> Tensor { matrixProduct(changes, weights) }

  /// The share of states whose class has the highest score.
  func accuracy(_ states: Tensor, labels: [Int]) -> Double {
    let scores = scores(states)
    let hits = labels.indices.filter { row in
      let row = (row, labels[row])
      return (0..<scores.columns).allSatisfy { scores[row.0, $0] <= scores[row.0, row.1] }
    }
    return Double(hits.count) / Double(labels.count)
  }
}
