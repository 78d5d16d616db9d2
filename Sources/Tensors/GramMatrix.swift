internal import COpenBLAS

/// The products of a matrix's columns with each other, or of its rows if there are fewer, in 64 bits.
struct GramMatrix {
  /// Whether the matrix has at least as many rows as columns; then the products are those of columns.
  let isTall: Bool
  /// The matrix's shorter side.
  let order: Int
  /// The products in the upper triangle, row by row.
  private(set) var scalars: [Double]
  private let groups: [Range<Int>]
  private let longer: Int

  /// Sums the products of a matrix that is read by groups of neighbouring rows.
  ///
  /// A wide one is read at once: its products are of all pairs of rows.
  init(columns: Int, rows groups: [Range<Int>], reading read: (Range<Int>) -> Matrix) {
    let rows = groups.last?.upperBound ?? 0
    isTall = rows >= columns
    order = min(rows, columns)
    longer = max(rows, columns)
    self.groups = isTall ? groups : [0..<rows]
    scalars = [Double](repeating: 0, count: order * order)
    for group in self.groups {
      for part in WideNumbers.parts(of: read(group), alongRows: isTall) {
        part.addProducts(to: &scalars, order)
      }
    }
  }

  /// The products of the matrix with vectors of its shorter side, shaped `[count, longer side]`.
  func products(with vectors: [Double], count: Int, reading read: (Range<Int>) -> Matrix) -> Tensor
  {
    guard count > 0 else { return Tensor(shape: [0, longer]) }
    var products: [Float] = []
    for group in groups {
      for part in WideNumbers.parts(of: read(group), alongRows: isTall) {
        products += part.products(with: vectors, count: count).map { Float($0) }
      }
    }
    return Tensor(shape: [longer, count], scalars: products).transposed
  }
}

/// A part of a matrix in 64 bits: some rows of a tall one, some columns of a wide one.
private struct WideNumbers {
  private let scalars: [Double]
  private let isTall: Bool
  private let shorter, length: Int

  /// Numbers (8 MiB) of a part.
  private static let limit = 1 << 20

  /// A matrix in parts that follow each other along its rows or its columns.
  static func parts(of matrix: Matrix, alongRows: Bool) -> some Sequence<WideNumbers> {
    let (long, short) = alongRows ? (matrix.rows, matrix.columns) : (matrix.columns, matrix.rows)
    let step = max(1, limit / max(1, short))
    return stride(from: 0, to: long, by: step).lazy.map { start in
      let range = start..<min(start + step, long)
      return WideNumbers(alongRows ? matrix.rows(range) : matrix.columns(range), isTall: alongRows)
    }
  }

  private init(_ window: Matrix, isTall: Bool) {
    scalars = [Double](unsafeUninitializedCapacity: window.count) { target, initialised in
      for row in 0..<window.rows {
        let start = window.start + row * window.stride
        for column in 0..<window.columns {
          target.initializeElement(at: row * window.columns + column, to: Double(start[column]))
        }
      }
      initialised = window.count
    }
    self.isTall = isTall
    (length, shorter) = isTall ? (window.rows, window.columns) : (window.columns, window.rows)
  }

  private var rowStride: Int32 { Int32(isTall ? shorter : length) }

  func addProducts(to gram: inout [Double], _ order: Int) {
    cblas_dsyrk(
      CblasRowMajor, CblasUpper, isTall ? CblasTrans : CblasNoTrans, Int32(order), Int32(length), 1,
      scalars, rowStride, 1, &gram, Int32(order))
  }

  /// Shaped `[length, count]`.
  func products(with vectors: [Double], count: Int) -> [Double] {
    var result = [Double](repeating: 0, count: length * count)
    cblas_dgemm(
      CblasRowMajor, isTall ? CblasNoTrans : CblasTrans, CblasTrans, Int32(length), Int32(count),
      Int32(shorter), 1, scalars, rowStride, vectors, Int32(shorter), 0, &result, Int32(count))
    return result
  }
}
