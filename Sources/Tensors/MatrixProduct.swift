internal import CKernels
internal import COpenBLAS

/// Set once: OpenBLAS's own threads never pay at these sizes, and shards are our threads.
private let singleThreadedOpenBLAS: Void = openblas_set_num_threads(1)

/// The kernel set that OpenBLAS chose for this processor, such as `SkylakeX` or `Haswell`.
public var openBLASCore: String {
  singleThreadedOpenBLAS
  return openblas_get_corename().map { String(cString: $0) } ?? "unknown"
}

/// The version and the build options of OpenBLAS.
package var openBLASBuild: String {
  openblas_get_config().map { String(cString: $0) } ?? "unknown"
}

/// Fewer rows than this fill no tile of our kernel.
private let fewestTiledRows = 8

/// Computes `result = a b`, or adds to it, either operand transposed on the way.
///
/// Where our own kernel wins (AVX-512, and enough rows) it does the work, elsewhere OpenBLAS. The
/// choice depends on the machine and the shape only, so that results are reproducible.
///
/// - Parameters:
///   - a: Shaped `[m, k]`, or `[k, m]` if `transposingA`.
///   - b: Shaped `[k, n]`, or `[n, k]` if `transposingB`.
///   - result: Shaped `[m, n]`.
///   - transposingA: Whether `a` is read transposed.
///   - transposingB: Whether `b` is read transposed.
///   - accumulating: Whether the product is added to `result`.
package func multiply(
  _ a: Matrix, _ b: Matrix, into result: Matrix,
  transposingA: Bool = false, transposingB: Bool = false, accumulating: Bool = false
) {
  let (m, k) = transposingA ? (a.columns, a.rows) : (a.rows, a.columns)
  let (inner, n) = transposingB ? (b.columns, b.rows) : (b.rows, b.columns)
  precondition(
    inner == k && result.rows == m && result.columns == n,
    "Cannot multiply \(m)x\(k) by \(inner)x\(n) into \(result.rows)x\(result.columns)")
  if m == 0 || n == 0 { return }
  if kernels.product_wins != 0 && m >= fewestTiledRows && k > 0 {
    var shape = ck_product_shape(
      rows: m, columns: n, depth: k, a_stride: a.stride, b_stride: b.stride,
      c_stride: result.stride, transposes_a: transposingA ? 1 : 0,
      transposes_b: transposingB ? 1 : 0, accumulates: accumulating ? 1 : 0)
    return kernels.product(&shape, a.start, b.start, result.start)
  }
  singleThreadedOpenBLAS
  cblas_sgemm(
    CblasRowMajor, transposingA ? CblasTrans : CblasNoTrans,
    transposingB ? CblasTrans : CblasNoTrans, Int32(m), Int32(n), Int32(k), 1, a.start,
    Int32(a.stride), b.start, Int32(b.stride), accumulating ? 1 : 0, result.start,
    Int32(result.stride))
}

/// The product of two matrices, shaped `[a.rows, b.columns]`.
public func matrixProduct(
  _ a: Tensor, _ b: Tensor, transposingA: Bool = false, transposingB: Bool = false
) -> Tensor {
  let result = Matrix(
    rows: transposingA ? a.columns : a.rows, columns: transposingB ? b.rows : b.columns)
  multiply(
    Matrix(a), Matrix(b), into: result, transposingA: transposingA, transposingB: transposingB)
  return result.tensor
}
