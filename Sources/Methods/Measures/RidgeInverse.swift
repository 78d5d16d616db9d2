internal import Tensors

/// (G + ρI)⁻¹ of a symmetric matrix that is not negative, such as XᵀX.
///
/// - Parameters:
///   - gram: G.
///   - strength: ρ, above 0.
/// - Throws: `DecompositionError` if numbers are beyond 32 bits.
func ridgeInverse(_ gram: Tensor, strength: Float) throws(DecompositionError) -> Tensor {
  // Of a symmetric matrix singular vectors are eigenvectors.
  let eigen = try SingularValueDecomposition(gram)
  return matrixProduct(
    eigen.right,
    eigen.right.scalingRows(by: eigen.values.scalars.map { 1 / ($0 + strength) }),
    transposingA: true)
}

extension Tensor {
  /// The sum of a square matrix's diagonal, in double.
  var trace: Double { (0..<rows).reduce(0) { $0 + Double(self[$1, $1]) } }
}
