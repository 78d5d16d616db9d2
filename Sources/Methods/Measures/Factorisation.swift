internal import Diffing
package import Tensors

/// A non-negative matrix as a product of two, A ≈ W H, by multiplicative updates for the squared error
/// (Lee & Seung, 2001).
package struct Factorisation: Sendable {
  /// W, shaped `[rows, topics]`.
  package let left: Tensor
  /// H, shaped `[topics, columns]`.
  package let right: Tensor

  /// Factors a matrix.
  ///
  /// - Parameters:
  ///   - matrix: Non-negative, shaped `[rows, columns]`.
  ///   - topics: Rows of H.
  ///   - rounds: Updates of both factors; the error never grows.
  ///   - generator: Draws the factors to start from.
  package init(
    _ matrix: Tensor, topics: Int, rounds: Int, using generator: inout SeededGenerator
  ) {
    let scale = (Double(matrix.scalars.mean) / Double(max(1, topics))).squareRoot()
    func random(_ shape: [Int]) -> Tensor {
      Tensor(
        shape: shape,
        scalars: (0..<shape[0] * shape[1]).map { _ in
          Float(scale * (0.5 + generator.uniform()))
        })
    }
    var left = random([matrix.rows, topics]), right = random([topics, matrix.columns])
    for _ in 0..<rounds {
      let seen = matrixProduct(left, matrix, transposingA: true)
      let own = matrixProduct(matrixProduct(left, left, transposingA: true), right)
      right = Self.updated(right, seen, own)
      let wanted = matrixProduct(matrix, right, transposingB: true)
      let gram = matrixProduct(right, right, transposingB: true)
      left = Self.updated(left, wanted, matrixProduct(left, gram))
    }
    self.left = left
    self.right = right
  }

  private static func updated(_ factor: Tensor, _ wanted: Tensor, _ own: Tensor) -> Tensor {
    factor
      * Tensor(
        shape: factor.shape,
        scalars: zip(wanted.scalars, own.scalars).map { $0 / max($1, 1e-12) })
  }
}
