package import Tensors

/// How alike two models arrange the same tokens, whatever directions they use for it.
///
/// Activations are shaped `[tokens, width]` and are centred here; widths may differ.
package struct SimilarityIndices {
  private let base, finetuned: Tensor

  /// - Precondition: Both have the same tokens, at least two.
  package init(_ base: Tensor, _ finetuned: Tensor) {
    precondition(base.rows == finetuned.rows && base.rows > 1, "Nothing to compare")
    self.base = base.addingToRows(base.meanRow, scaled: -1)
    self.finetuned = finetuned.addingToRows(finetuned.meanRow, scaled: -1)
  }

  private var product: Tensor { matrixProduct(base, finetuned, transposingA: true) }

  /// Linear centred kernel alignment, ‖XᵀY‖² / (‖XᵀX‖ ‖YᵀY‖), from 0 to 1; 1 if nothing varies (Kornblith et al.,
  /// 2019, arXiv 1905.00414, equation 5).
  package var alignment: Double {
    func square(_ a: Tensor, _ b: Tensor) -> Double {
      Double(sumOfSquares(Matrix(matrixProduct(a, b, transposingA: true))))
    }
    let size = (square(base, base) * square(finetuned, finetuned)).squareRoot()
    return size > 0 ? min(1, square(base, finetuned) / size) : 1
  }

  /// What the best rotation leaves of the distance between the two, both scaled to length 1: 2 − 2 ‖XᵀY‖_*, from 0 to 2
  /// (Ding et al., 2021, arXiv 2108.01661).
  ///
  /// - Throws: `DecompositionError` if an activation is infinite or undefined.
  package func rotationDistance() throws(DecompositionError) -> Double {
    let size = Double(base.norm) * Double(finetuned.norm)
    guard size > 0 else { return 0 }
    let singular = try SingularSpectrum(Matrix(product), keeping: 0).values.reduce(0) {
      $0 + Double($1)
    }
    return max(0, 2 - 2 * singular / size)
  }

  /// The share of each token's nearest neighbours, by cosine, that it has in both models, on average (Huh et al., 2024,
  /// arXiv 2405.07987, mutual k-nearest neighbours).
  package func mutualNeighbors(_ count: Int) -> Double {
    let (before, after) = (Self.cosines(base), Self.cosines(finetuned))
    return (0..<base.rows).map { token in
      func nearest(_ cosines: Tensor) -> Set<Int> {
        var row = Array(cosines.row(token))
        row[token] = -.infinity
        return Set(largestIndices(row, min(count, row.count - 1)))
      }
      let own = nearest(before)
      return Double(own.intersection(nearest(after)).count) / Double(max(1, own.count))
    }.mean
  }

  /// Of each token how differently it lies among the others: 1 − the correlation of its cosines with all others in both
  /// models (Kriegeskorte et al., 2008, representational similarity analysis, row by row).
  package var displacements: [Float] {
    let (before, after) = (Self.cosines(base), Self.cosines(finetuned))
    return (0..<base.rows).map { token in
      func others(_ cosines: Tensor) -> [Float] {
        let row = cosines.row(token).enumerated().filter { $0.offset != token }.map(\.element)
        let mean = row.mean
        return row.map { $0 - mean }
      }
      let (a, b) = (others(before), others(after))
      let size = (dot(a, a) * dot(b, b)).squareRoot()
      return size > 0 ? 1 - dot(a, b) / size : 0
    }
  }

  private static func cosines(_ rows: Tensor) -> Tensor {
    let units = rows.scalingRows(by: rows.rowNorms.map { $0 > 0 ? 1 / $0 : 0 })
    return matrixProduct(units, units, transposingB: true)
  }
}
