internal import COpenBLAS

/// A matrix that has no decomposition in 32 bits.
public struct DecompositionError: Error, Equatable, Sendable, CustomStringConvertible {
  /// What it is, in words.
  public let description: String

  static var notFinite: DecompositionError {
    DecompositionError(
      description: "a matrix with infinite or undefined entries cannot be decomposed")
  }

  static func failed(_ routine: String, _ code: Int32) -> DecompositionError {
    DecompositionError(
      description: "a matrix could not be decomposed (LAPACK's \(routine), code \(code))")
  }
}

/// A thin singular value decomposition, `A = U diag(values) V`.
public struct SingularValueDecomposition: Sendable {
  /// Left vectors as columns, shaped `[rows, q]` with `q = min(rows, columns)`.
  public let left: Tensor
  /// Singular values, the largest first, shaped `[q]`.
  public let values: Tensor
  /// Right vectors as rows, shaped `[q, columns]`.
  public let right: Tensor

  /// Decomposes a matrix with LAPACK's divide and conquer (`sgesdd`).
  ///
  /// The signs of a pair of vectors are arbitrary; here the entry of the left vector that is
  /// largest in magnitude is positive, so that the result does not depend on the library's build.
  ///
  /// - Parameter matrix: Shaped `[rows, columns]`.
  /// - Throws: `DecompositionError` if an entry is infinite or undefined, or the iteration does not converge.
  /// - Complexity: O(rows · columns · min(rows, columns)).
  public init(_ matrix: Tensor) throws(DecompositionError) {
    guard matrix.isFinite else { throw .notFinite }
    let rows = matrix.rows, columns = matrix.columns, q = min(rows, columns)
    // LAPACK is column-major, so it sees the transpose: its U is our right side.
    var a = matrix.scalars
    var s = [Float](repeating: 0, count: q)
    var u = [Float](repeating: 0, count: columns * q)
    var vt = [Float](repeating: 0, count: q * rows)
    var integers = [Int32](repeating: 0, count: 8 * q)
    var (m, n, k, info) = (Int32(columns), Int32(rows), Int32(q), Int32(0))
    var job = CChar(UInt8(ascii: "S"))
    var size: Float = 0
    var query = Int32(-1)
    sgesdd_(&job, &m, &n, &a, &m, &s, &u, &m, &vt, &k, &size, &query, &integers, &info)
    var length = Int32(size)
    var work = [Float](repeating: 0, count: Int(length))
    sgesdd_(&job, &m, &n, &a, &m, &s, &u, &m, &vt, &k, &work, &length, &integers, &info)
    guard info == 0, s.allSatisfy(\.isFinite) else { throw .failed("sgesdd", info) }
    // Column-major [columns, q] is row-major [q, columns], and [q, rows] is [rows, q].
    var left = Tensor(shape: [rows, q], scalars: vt)
    var right = Tensor(shape: [q, columns], scalars: u)
    Self.fixSigns(&left, &right)
    self.left = left
    self.values = Tensor(s)
    self.right = right
  }

  private static func largestEntry(ofColumn column: Int, in matrix: Tensor) -> Float {
    var best: Float = 0
    for row in 0..<matrix.rows where abs(matrix[row, column]) > abs(best) {
      best = matrix[row, column]
    }
    return best
  }

  /// A decomposition that was computed from factors; signs are made definite as above.
  public init(left: Tensor, values: Tensor, right: Tensor) {
    var left = left, right = right
    Self.fixSigns(&left, &right)
    self.left = left
    self.values = values
    self.right = right
  }

  private static func fixSigns(_ left: inout Tensor, _ right: inout Tensor) {
    for index in 0..<right.rows where largestEntry(ofColumn: index, in: left) < 0 {
      for row in 0..<left.rows { left[row, index] = -left[row, index] }
      for column in 0..<right.columns { right[index, column] = -right[index, column] }
    }
  }

  /// The first `count` values with their vectors, or as many as there are.
  public func first(_ count: Int) -> SingularValueDecomposition {
    let kept = Array(0..<min(count, values.count))
    return SingularValueDecomposition(
      left: Tensor(
        shape: [left.rows, kept.count],
        scalars: (0..<left.rows).flatMap { Array(left.row($0).prefix(kept.count)) }),
      values: Tensor(Array(values.scalars.prefix(kept.count))), right: right.rows(at: kept))
  }

  /// Left vector `index`, shaped `[rows]`.
  public func leftVector(_ index: Int) -> Tensor {
    Tensor((0..<left.rows).map { left[$0, index] })
  }

  /// Right vector `index`, shaped `[columns]`.
  public func rightVector(_ index: Int) -> Tensor { Tensor(Array(right.row(index))) }
}
