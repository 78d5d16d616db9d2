import TestSupport
import Tensors
import Testing

@Suite("Matrices and their decompositions")
struct MatrixTests {
  private func random(_ rows: Int, _ columns: Int, seed: UInt64 = 3) -> Tensor {
    var generator = SeededGenerator(seed: seed)
    return Tensor(
      shape: [rows, columns],
      scalars: (0..<rows * columns).map { _ in Float(generator.normal()) })
  }

  @Test("a norm is the same in every range that single precision has", arguments: [1e-30, 1, 1e30])
  func norms(scale: Float) {
    let values = Tensor(shape: [2, 2], scalars: [3, 4, 0, 0]).scaled(by: scale)
    #expect(abs(values.norm / scale - 5) < 1e-5)
    #expect(values.rowNorms.map { $0 / scale }.map { ($0 * 1e4).rounded() } == [5e4, 0])
  }

  @Test("the median is the middle of the sorted values, the lower of two", arguments: 1..<40)
  func medians(count: Int) {
    var generator = SeededGenerator(seed: UInt64(count))
    // Few values, so that many are equal.
    let few = (0..<count).map { _ in Float(generator.index(below: 5)) }
    let many = (0..<count).map { _ in Float(generator.normal()) }
    for values in [few, many, many.sorted(), many.sorted(by: >)] {
      #expect(median(values) == values.sorted()[(count - 1) / 2])
    }
  }

  private func reference(_ a: Tensor, _ b: Tensor) -> Tensor {
    var result = Tensor(shape: [a.rows, b.columns])
    for row in 0..<a.rows {
      for column in 0..<b.columns {
        let sum = (0..<a.columns).reduce(0.0) { $0 + Double(a[row, $1]) * Double(b[$1, column]) }
        result[row, column] = Float(sum)
      }
    }
    return result
  }

  @Test("products agree with sums in double", arguments: [(1, 1, 1), (5, 37, 48), (64, 515, 3)])
  func product(m: Int, k: Int, n: Int) {
    let a = random(m, k), b = random(k, n, seed: 4)
    let expected = reference(a, b)
    expectClose(matrixProduct(a, b), expected, tolerance: 1e-5)
    expectClose(matrixProduct(a.transposed, b, transposingA: true), expected, tolerance: 1e-5)
    expectClose(matrixProduct(a, b.transposed, transposingB: true), expected, tolerance: 1e-5)
  }

  @Test("a product adds to a window without touching what is beside it")
  func window() {
    let memory = Matrix(rows: 4, columns: 10)
    memory.fill(1)
    let a = random(4, 6), b = random(6, 3)
    multiply(Matrix(a), Matrix(b), into: memory.columns(2..<5), accumulating: true)
    expectClose(
      memory.columns(2..<5).tensor, reference(a, b).map { $0 + 1 }, tolerance: 1e-5)
    #expect(memory.columns(0..<2).scalars.allSatisfy { $0 == 1 })
    #expect(memory.columns(5..<10).scalars.allSatisfy { $0 == 1 })
  }

  @Test("singular vectors rebuild the matrix", arguments: [(7, 5), (5, 7), (6, 6), (1, 4)])
  func decomposition(rows: Int, columns: Int) throws {
    let matrix = random(rows, columns)
    let svd = try SingularValueDecomposition(matrix)
    var scaled = svd.left
    for row in 0..<scaled.rows {
      for column in 0..<scaled.columns { scaled[row, column] *= svd.values[column] }
    }
    expectClose(matrixProduct(scaled, svd.right), matrix, tolerance: 1e-5)
    #expect(zip(svd.values.scalars, svd.values.scalars.dropFirst()).allSatisfy(>=))
    let gram = matrixProduct(svd.left, svd.left, transposingA: true)
    for index in 0..<gram.rows { #expect(abs(gram[index, index] - 1) < 1e-5) }
  }

  @Test("what cannot be decomposed is an error, not a crash", arguments: [Float.infinity, .nan])
  func undefined(entry: Float) {
    #expect(throws: DecompositionError.self) {
      try SingularValueDecomposition(Tensor(shape: [2, 2], scalars: [1, 2, 3, entry]))
    }
  }

  @Test("the singular values of a known matrix")
  func known() throws {
    let svd = try SingularValueDecomposition(Tensor(shape: [2, 2], scalars: [3, 0, 0, -4]))
    expectClose(svd.values.scalars, [4, 3], tolerance: 1e-6)
    expectClose(svd.leftVector(0).scalars, [0, 1], tolerance: 1e-6)
  }

  @Test("large memory that was given back is nobody's: zeros are zeros, and no two share it")
  func reusedMemory() {
    let rows = 1 << 11
    let alive = Matrix(undefinedRows: rows, columns: 1 << 10)
    alive.fill(1)
    for _ in 0..<3 {
      let gone = Matrix(undefinedRows: rows, columns: 1 << 10)
      gone.fill(2)
    }
    let first = Matrix(rows: rows, columns: 1 << 10)
    #expect(first.scalars.allSatisfy { $0 == 0 })
    let second = Matrix(undefinedRows: rows, columns: 1 << 10)
    second.fill(3)
    #expect(first[rows - 1, 0] == 0 && alive[0, 0] == 1 && alive[rows - 1, 1023] == 1)
  }

  @Test("a copy of a tensor's memory is its own")
  func values() {
    let buffer = FloatBuffer([1, 2, 3])
    let copy = buffer.copy()
    buffer[0] = 9
    #expect(copy[0] == 1)
    let (own, other) = (Matrix(buffer, rows: 1, columns: 3), Matrix(copy, rows: 1, columns: 3))
    #expect(!own.hasSameBytes(as: other))
    #expect(own.columns(1..<3).hasSameBytes(as: other.columns(1..<3)))
  }
}
