import CKernels
import TestSupport
import Tensors
import Testing

@Suite("Matrix products")
struct ProductTests {
  /// One product in every layout, beside a sum in double precision.
  struct Case {
    var shape: ck_product_shape
    let a, b, c: [Float]

    init(_ rows: Int, _ columns: Int, _ depth: Int, layout: Int) {
      let transposes = (a: layout & 1 != 0, b: layout & 2 != 0)
      let aSize = transposes.a ? (depth, rows + 3) : (rows, depth + 3)
      let bSize = transposes.b ? (columns, depth + 1) : (depth, columns + 1)
      shape = ck_product_shape(
        rows: rows, columns: columns, depth: depth, a_stride: aSize.1, b_stride: bSize.1,
        c_stride: columns + 2, transposes_a: transposes.a ? 1 : 0,
        transposes_b: transposes.b ? 1 : 0, accumulates: layout & 4 != 0 ? 1 : 0)
      a = normals(aSize.0 * aSize.1, seed: 1)
      b = normals(bSize.0 * bSize.1, seed: 2)
      c = normals(rows * shape.c_stride, seed: 3)
    }

    var reference: [Float] {
      var result = c
      for row in 0..<shape.rows {
        for column in 0..<shape.columns {
          var sum = shape.accumulates != 0 ? Double(c[row * shape.c_stride + column]) : 0
          for d in 0..<shape.depth {
            let left = shape.transposes_a != 0 ? d * shape.a_stride + row : row * shape.a_stride + d
            let right =
              shape.transposes_b != 0 ? column * shape.b_stride + d : d * shape.b_stride + column
            sum += Double(a[left]) * Double(b[right])
          }
          result[row * shape.c_stride + column] = Float(sum)
        }
      }
      return result
    }
  }

  @Test("every level agrees with double precision", arguments: [1, 5, 37], [1, 37, 48, 515])
  func levels(rows: Int, columns: Int) {
    for depth in [1, 37, 300] {
      for layout in 0..<8 {
        var product = Case(rows, columns, depth, layout: layout)
        let expected = product.reference
        for kernels in kernelLevels {
          let (a, b, c) = (Unaligned(product.a), Unaligned(product.b), Unaligned(product.c))
          kernels.product(&product.shape, a.start, b.start, c.start)
          // Terms cancel, so an error is measured by the size of the sums, not of the result.
          let errors = zip(c.scalars(), expected).map { abs($0 - $1) }
          #expect(
            (errors.max() ?? 0) < 2e-6 * Float(depth).squareRoot(),
            "\(String(cString: kernels.level)) \(rows)x\(columns)x\(depth), layout \(layout)")
        }
      }
    }
  }

  @Test("a row's product does not depend on the rows beside it")
  func independentRows() {
    let (a, b) = (
      Matrix(Tensor(shape: [64, 37], scalars: normals(64 * 37, seed: 1))),
      Matrix(Tensor(shape: [37, 515], scalars: normals(37 * 515, seed: 2)))
    )
    let all = Matrix(rows: 64, columns: 515), part = Matrix(rows: 23, columns: 515)
    multiply(a, b, into: all)
    multiply(a.rows(5..<28), b, into: part)
    expectClose(part.tensor, all.rows(5..<28).tensor, tolerance: 1e-6)
  }

  @Test("`multiply` agrees with double precision above and below the rows that fill a tile")
  func chosen() {
    for rows in [1, 7, 8, 37] {
      let product = Case(rows, 48, 37, layout: 0)
      let a = Matrix(
        FloatBuffer(product.a), rows: rows, columns: 37, stride: product.shape.a_stride)
      let b = Matrix(FloatBuffer(product.b), rows: 37, columns: 48, stride: product.shape.b_stride)
      let c = Matrix(
        FloatBuffer(product.c), rows: rows, columns: 48, stride: product.shape.c_stride)
      multiply(a, b, into: c)
      let expected = Matrix(
        FloatBuffer(product.reference), rows: rows, columns: 48, stride: product.shape.c_stride)
      expectClose(c.tensor, expected.tensor, tolerance: 2e-6)
    }
  }
}
