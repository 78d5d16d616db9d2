import TestSupport
import Testing

@testable import Tensors

@Suite("Singular values and vectors from the Gram matrix")
struct SingularSpectrumTests {
  private let shapes: [(rows: Int, columns: Int)] = [(40, 12), (12, 40), (9, 9), (1, 7), (7, 1)]

  private func random(_ rows: Int, _ columns: Int) -> Tensor {
    var generator = SeededGenerator(seed: 3, for: "\(rows)x\(columns)")
    return Tensor(
      shape: [rows, columns], scalars: (0..<rows * columns).map { _ in Float(generator.normal()) })
  }

  /// Rows of different length, so that values are spread.
  private func spread(_ rows: Int, _ columns: Int) -> Tensor {
    random(rows, columns).scalingRows(by: (0..<rows).map { 1 / Float(1 + $0) })
  }

  private func basis(_ matrix: Tensor) throws -> SingularBasis {
    try SingularBasis(columns: matrix.columns, rows: [0..<matrix.rows]) { Matrix(matrix).rows($0) }
  }

  @Test("they are those of LAPACK's decomposition, whatever the shape")
  func agreesWithWhole() throws {
    for shape in shapes {
      let matrix = spread(shape.rows, shape.columns)
      let whole = try SingularValueDecomposition(matrix)
      let basis = try SingularSpectrum(Matrix(matrix), keeping: 3)
      expectClose(basis.values, whole.values.scalars, tolerance: 1e-5)
      for index in 0..<min(3, whole.values.count) {
        expectClose(
          basis.leading.leftVector(index).scalars, whole.leftVector(index).scalars,
          tolerance: 1e-4)
        expectClose(
          basis.leading.rightVector(index).scalars, whole.rightVector(index).scalars,
          tolerance: 1e-4)
      }
    }
  }

  @Test("values far below the first are found to the digits of the entries")
  func small() throws {
    let known: [Float] = [1, 1e-2, 1e-4, 3e-6]
    for shape in [(rows: 60, columns: 20), (rows: 20, columns: 60)] {
      let left = try SingularValueDecomposition(random(shape.rows, 4)).left
      let right = try SingularValueDecomposition(random(4, shape.columns)).right
      let matrix = matrixProduct(left, right.scalingRows(by: known))
      let values = try SingularSpectrum(Matrix(matrix), keeping: 0).values
      expectClose(Array(values.prefix(4)), known, tolerance: 3e-7)
      #expect(values.dropFirst(4).allSatisfy { $0 < 3e-7 })
    }
  }

  @Test("a tall matrix may be read a few rows at a time")
  func groups() throws {
    let matrix = Matrix(spread(50, 8))
    let groups = [0..<7, 7..<8, 8..<50]
    let parts = try SingularSpectrum(columns: 8, rows: groups, keeping: 8) { matrix.rows($0) }
    let whole = try SingularSpectrum(matrix, keeping: 8)
    expectClose(parts.values, whole.values, tolerance: 1e-6)
    expectClose(parts.leading.left, whole.leading.left, tolerance: 1e-5)
  }

  @Test("a wide matrix may be read a few rows at a time too, and is then read at once")
  func wideGroups() throws {
    let matrix = Matrix(spread(8, 50))
    let parts = try SingularSpectrum(columns: 50, rows: [0..<3, 3..<4, 4..<8], keeping: 8) {
      matrix.rows($0)
    }
    let whole = try SingularSpectrum(matrix, keeping: 8)
    expectClose(parts.values, whole.values, tolerance: 1e-6)
    expectClose(parts.leading.right, whole.leading.right, tolerance: 1e-5)
  }

  @Test("of a matrix of several parts the first and the last count")
  func parts() throws {
    let long = 800_000
    for shape in [(rows: long, columns: 3), (rows: 3, columns: long)] {
      var matrix = Tensor(shape: [shape.rows, shape.columns])
      matrix[0, 0] = 1
      matrix[shape.rows - 1, shape.columns - 1] = 2
      let spectrum = try SingularSpectrum(Matrix(matrix), keeping: 2)
      #expect(spectrum.values == [2, 1, 0])
      #expect(abs(spectrum.leading.left[shape.rows - 1, 0]) == 1)
      #expect(abs(spectrum.leading.right[0, shape.columns - 1]) == 1)
    }
  }

  @Test("values that are rounding have no products either")
  func rounding() throws {
    for shape in [(rows: 12, columns: 5), (rows: 5, columns: 12)] {
      let matrix = matrixProduct(random(shape.rows, 2), random(2, shape.columns))
      let products = try basis(matrix)
        .products(ofLeftVectorsWith: random(shape.rows, 3), matrix: Matrix(matrix))
      #expect(products.rows(at: [0, 1]).rowNorms.allSatisfy { $0 > 0 })
      #expect(products.rows(at: [2, 3, 4]).norm == 0)
    }
  }

  @Test("products with all left vectors are those of the whole decomposition, but for signs")
  func products() throws {
    for shape in shapes {
      let matrix = spread(shape.rows, shape.columns)
      let others = random(shape.rows, 2)
      let whole = try SingularValueDecomposition(matrix)
      let expected = matrixProduct(whole.left, others, transposingA: true)
      let found = try basis(matrix)
        .products(ofLeftVectorsWith: others, matrix: Matrix(matrix))
      expectClose(found.map(abs), expected.map(abs), tolerance: 1e-4)
    }
  }

  @Test("what a matrix does not span has no product with its vectors")
  func unspanned() throws {
    for shape in [(rows: 12, columns: 5), (rows: 5, columns: 12)] {
      var matrix = Tensor(shape: [shape.rows, shape.columns])
      matrix[0, 0] = 2
      let all = Tensor(
        shape: [shape.rows, shape.rows],
        scalars: (0..<shape.rows * shape.rows).map { $0 % (shape.rows + 1) == 0 ? 1 : 0 })
      let products = try basis(matrix)
        .products(ofLeftVectorsWith: all, matrix: Matrix(matrix))
      #expect(products.scalars.map(abs).reduce(0, +) == 1)
      #expect(abs(products[0, 0]) == 1)
    }
  }

  @Test("nothing has no direction, and numbers beyond 32 bits no basis")
  func edges() throws {
    let zero = try SingularSpectrum(Matrix(Tensor(shape: [4, 3])), keeping: 2)
    #expect(zero.values == [0, 0, 0])
    #expect(zero.leading.left.isFinite && zero.leading.right.isFinite)
    for entry in [Float.infinity, .nan] {
      #expect(throws: DecompositionError.self) {
        try SingularSpectrum(
          Matrix(Tensor(shape: [2, 2], scalars: [1, 2, 3, entry])), keeping: 1)
      }
    }
  }
}
