internal import COpenBLAS

/// The eigenvalues of a symmetric matrix in 64 bits, and some or all of its eigenvectors.
struct SymmetricEigenvectors {
  /// All eigenvalues, the largest first.
  private(set) var values: [Double]
  /// How many vectors there are.
  let count: Int
  /// The vectors of the first eigenvalues, one after the other.
  private(set) var vectors: [Double]

  /// Decomposes a matrix of which the upper triangle is given row by row.
  ///
  /// - Throws: `DecompositionError` if an entry is infinite or undefined.
  init(_ matrix: [Double], order: Int, keeping kept: Int) throws(DecompositionError) {
    guard matrix.allSatisfy(\.isFinite) else { throw .notFinite }
    count = min(kept, order)
    values = [Double](repeating: 0, count: order)
    vectors = matrix
    guard order > 0 else { return }
    // LAPACK is column-major: the upper triangle by rows is the lower one by columns, and its columns are our rows.
    if count == order { try decompose() } else { try reduce() }
    // It sorts eigenvalues upwards.
    values.reverse()
    let found = vectors
    vectors = (0..<count).reversed().flatMap { found[$0 * order..<($0 + 1) * order] }
  }

  /// All vectors, by divide and conquer.
  private mutating func decompose() throws(DecompositionError) {
    var (job, triangle) = (CChar(UInt8(ascii: "V")), Self.lower)
    var (n, info, query) = (Int32(values.count), Int32(0), Int32(-1))
    var (size, integers) = (0.0, Int32(0))
    dsyevd_(
      &job, &triangle, &n, &vectors, &n, &values, &size, &query, &integers, &query, &info)
    var (length, integerLength) = (Int32(size), integers)
    var work = [Double](repeating: 0, count: Int(length))
    var integerWork = [Int32](repeating: 0, count: Int(integerLength))
    dsyevd_(
      &job, &triangle, &n, &vectors, &n, &values, &work, &length, &integerWork, &integerLength,
      &info)
    guard info == 0 else { throw .failed("dsyevd", info) }
  }

  private static let lower = CChar(UInt8(ascii: "L"))

  /// All values and the last vectors, from a tridiagonal matrix that has the same values: a third of the work.
  private mutating func reduce() throws(DecompositionError) {
    var reflections = vectors
    vectors = [Double](repeating: 0, count: count * values.count)
    var tridiagonal = try Self.tridiagonal(&reflections, values.count)
    if count > 0 {
      var copy = tridiagonal
      try copy.lastVectors(into: &vectors, count)
      try tridiagonal.rotateBack(&vectors, count, reflections)
    }
    values = try tridiagonal.eigenvalues()
  }

  /// Reduces a matrix by Householder reflections, which replace it.
  private static func tridiagonal(_ matrix: inout [Double], _ order: Int)
    throws(DecompositionError) -> Tridiagonal
  {
    var result = Tridiagonal(
      diagonal: [Double](repeating: 0, count: order),
      beside: [Double](repeating: 0, count: order), factors: [Double](repeating: 0, count: order))
    var (triangle, n, info, query, size) = (lower, Int32(order), Int32(0), Int32(-1), 0.0)
    dsytrd_(
      &triangle, &n, &matrix, &n, &result.diagonal, &result.beside, &result.factors, &size, &query,
      &info)
    var length = Int32(size)
    var work = [Double](repeating: 0, count: Int(length))
    dsytrd_(
      &triangle, &n, &matrix, &n, &result.diagonal, &result.beside, &result.factors, &work, &length,
      &info)
    guard info == 0 else { throw .failed("dsytrd", info) }
    return result
  }

  /// A tridiagonal matrix with the factors of the reflections that led to it.
  private struct Tridiagonal {
    var diagonal, beside, factors: [Double]

    /// All eigenvalues, ascending.
    mutating func eigenvalues() throws(DecompositionError) -> [Double] {
      var (n, info) = (Int32(diagonal.count), Int32(0))
      dsterf_(&n, &diagonal, &beside, &info)
      guard info == 0 else { throw .failed("dsterf", info) }
      return diagonal
    }

    /// The vectors of the largest eigenvalues, ascending, one after the other.
    mutating func lastVectors(into vectors: inout [Double], _ count: Int)
      throws(DecompositionError)
    {
      let order = diagonal.count
      var (job, range) = (CChar(UInt8(ascii: "V")), CChar(UInt8(ascii: "I")))
      var (n, first, last) = (Int32(order), Int32(order - count + 1), Int32(order))
      var (low, high, found, columns) = (0.0, 0.0, Int32(0), Int32(count))
      var (accurate, info) = (Int32(1), Int32(0))
      var values = [Double](repeating: 0, count: order)
      var support = [Int32](repeating: 0, count: 2 * order)
      var work = [Double](repeating: 0, count: 18 * order)
      var integerWork = [Int32](repeating: 0, count: 10 * order)
      var (length, integerLength) = (Int32(work.count), Int32(integerWork.count))
      dstemr_(
        &job, &range, &n, &diagonal, &beside, &low, &high, &first, &last, &found, &values, &vectors,
        &n, &columns, &support, &accurate, &work, &length, &integerWork, &integerLength, &info)
      guard info == 0, found == columns else { throw .failed("dstemr", info) }
    }

    /// The vectors of the matrix that was reduced.
    func rotateBack(_ vectors: inout [Double], _ count: Int, _ reflections: [Double])
      throws(DecompositionError)
    {
      var (side, triangle, transposed) = (
        CChar(UInt8(ascii: "L")), lower, CChar(UInt8(ascii: "N"))
      )
      var (n, columns, info, query) = (Int32(diagonal.count), Int32(count), Int32(0), Int32(-1))
      var size = 0.0
      dormtr_(
        &side, &triangle, &transposed, &n, &columns, reflections, &n, factors, &vectors, &n, &size,
        &query, &info)
      var length = Int32(size)
      var work = [Double](repeating: 0, count: Int(length))
      dormtr_(
        &side, &triangle, &transposed, &n, &columns, reflections, &n, factors, &vectors, &n, &work,
        &length, &info)
      guard info == 0 else { throw .failed("dormtr", info) }
    }
  }
}
