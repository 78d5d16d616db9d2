/// All singular values of a matrix, and the first of its vectors.
///
/// They come from the eigenvectors of the smaller Gram matrix: `AᵀA = V diag(σ²) Vᵀ` where A is tall, `AAᵀ` where
/// it is wide. Squaring loses half of the digits, so it is done in 64 bits: values are right to some 10⁻⁷ of the
/// largest, as those of a decomposition in 32 bits are, for a fraction of its work.
public struct SingularSpectrum: Sendable {
  /// Singular values, the largest first.
  public let values: [Float]
  /// The first of them with their vectors.
  public let leading: SingularValueDecomposition

  /// Takes the values of a whole decomposition, and the first of its vectors.
  public init(_ whole: SingularValueDecomposition, keeping count: Int) {
    values = whole.values.scalars
    leading = whole.first(count)
  }

  /// Finds the values and first vectors of a matrix that is read by rows.
  ///
  /// - Parameters:
  ///   - columns: The width of the matrix.
  ///   - groups: Neighbouring rows that together are all, in order.
  ///   - count: How many vectors are kept; fewer if the matrix has no more.
  ///   - read: Reads the rows of a group; called twice for each.
  /// - Throws: `DecompositionError` if an entry is infinite or undefined.
  /// - Complexity: O(rows · columns · q), with q the shorter side.
  package init(
    columns: Int, rows groups: [Range<Int>], keeping count: Int,
    reading read: (Range<Int>) -> Matrix
  ) throws(DecompositionError) {
    let gram = GramMatrix(columns: columns, rows: groups, reading: read)
    let eigen = try SymmetricEigenvectors(gram.scalars, order: gram.order, keeping: count)
    values = eigen.singularValues
    let kept = eigen.vectorRows
    let other = gram.products(with: eigen.vectors, count: kept.rows, reading: read).unitRows
    leading = SingularValueDecomposition(
      left: (gram.isTall ? other : kept).transposed,
      values: Tensor(Array(values.prefix(kept.rows))),
      right: gram.isTall ? kept : other)
  }

  /// Finds the values and first vectors of a matrix in memory.
  ///
  /// - Throws: `DecompositionError` if an entry is infinite or undefined.
  package init(_ matrix: Matrix, keeping count: Int) throws(DecompositionError) {
    try self.init(columns: matrix.columns, rows: [0..<matrix.rows], keeping: count) {
      matrix.rows($0)
    }
  }
}

/// What a matrix spans: all of its singular values and of the vectors of its shorter side.
public struct SingularBasis: Sendable {
  /// Singular values, the largest first.
  public let values: [Float]
  /// Vectors of the shorter side as rows, shaped `[q, q]` with q the shorter side.
  private let vectors: Tensor
  private let isTall: Bool

  /// Values below this share of the largest are rounding, and so are their vectors.
  private static let rounding: Float = 1e-6

  /// Finds the values and vectors of a matrix that is read by rows, as `SingularSpectrum` does.
  ///
  /// - Throws: `DecompositionError` if an entry is infinite or undefined.
  package init(
    columns: Int, rows groups: [Range<Int>], reading read: (Range<Int>) -> Matrix
  ) throws(DecompositionError) {
    let gram = GramMatrix(columns: columns, rows: groups, reading: read)
    let eigen = try SymmetricEigenvectors(gram.scalars, order: gram.order, keeping: gram.order)
    values = eigen.singularValues
    vectors = eigen.vectorRows
    isTall = gram.isTall
  }

  /// The products of all left vectors with some others, shaped `[q, others]`: cosines if these have length 1.
  ///
  /// Of values that are rounding they are 0: what a matrix does not span, its vectors say nothing of.
  ///
  /// - Parameters:
  ///   - others: As columns, shaped `[rows of the matrix, others]`.
  ///   - matrix: The matrix itself. The left vectors of a tall one, `A V diag(1/σ)`, are not kept.
  package func products(ofLeftVectorsWith others: Tensor, matrix: Matrix) -> Tensor {
    let least = Self.rounding * (values.first ?? 0)
    guard isTall else {
      return matrixProduct(vectors, others).scalingRows(by: values.map { $0 > least ? 1 : 0 })
    }
    let seen = Matrix(rows: others.columns, columns: matrix.columns)
    multiply(Matrix(others), matrix, into: seen, transposingA: true)
    return matrixProduct(vectors, seen.tensor, transposingB: true)
      .scalingRows(by: values.map { $0 > least ? 1 / $0 : 0 })
  }
}

extension SymmetricEigenvectors {
  /// Of a Gram matrix: the roots of its eigenvalues, of which rounding makes some negative.
  fileprivate var singularValues: [Float] { values.map { Float(max(0, $0).squareRoot()) } }

  /// The vectors in 32 bits, as rows.
  fileprivate var vectorRows: Tensor {
    Tensor(shape: [count, values.count], scalars: vectors.map { Float($0) })
  }
}
