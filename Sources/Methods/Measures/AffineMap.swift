internal import Diffing
package import Tensors

/// A map x ↦ S x + b, fitted by ridge regression towards the identity.
package struct AffineMap: Sendable {
  /// Shaped `[width, width]`; rows are multiplied by its transpose.
  package let matrix: Tensor
  package let offset: Tensor

  /// Fits argmin Σ‖S (x − x̄) − (y − ȳ)‖² + ρ‖S − I‖².
  ///
  /// - Parameters:
  ///   - inputs: Shaped `[rows, width]`.
  ///   - outputs: Shaped `[rows, width]`.
  ///   - ridge: ρ as a share of the inputs' mean variance times their number.
  /// - Throws: `DecompositionError` if the inputs' squares are beyond 32 bits.
  package init(from inputs: Tensor, to outputs: Tensor, ridge: Float) throws(DecompositionError) {
    let inputMean = inputs.meanRow, outputMean = outputs.meanRow
    let x = inputs.addingToRows(inputMean, scaled: -1)
    let y = outputs.addingToRows(outputMean, scaled: -1)
    // S = I + (Y − X)ᵀX (XᵀX + ρI)⁻¹ = I + (Y − X)ᵀ (XXᵀ + ρI)⁻¹ X: the smaller of the two is inverted.
    let isWide = x.columns > x.rows
    let gram = matrixProduct(x, x, transposingA: !isWide, transposingB: isWide)
    let strength = max(ridge * Float(gram.trace / Double(x.columns)), .leastNormalMagnitude)
    let inverse = try ridgeInverse(gram, strength: strength)
    var matrix =
      isWide
      ? matrixProduct(y - x, matrixProduct(inverse, x), transposingA: true)
      : matrixProduct(matrixProduct(y - x, x, transposingA: true), inverse)
    for index in 0..<matrix.rows { matrix[index, index] += 1 }
    self.matrix = matrix
    let mapped = matrixProduct(
      inputMean.reshaped([1, inputMean.count]), matrix, transposingB: true)
    offset = outputMean - mapped.reshaped([inputMean.count])
  }

  /// Rows mapped, shaped as they are.
  package func applied(to rows: Tensor) -> Tensor {
    matrixProduct(rows, matrix, transposingB: true).addingToRows(offset)
  }
}
