/// An array of floats with a shape, row-major: a value, copied on write.
package struct Tensor: Equatable, Sendable {
  /// Length of each axis, the slowest first.
  package let shape: [Int]
  package private(set) var scalars: [Float]

  /// Creates a tensor.
  ///
  /// - Precondition: `scalars` has as many elements as `shape` says.
  package init(shape: [Int], scalars: [Float]) {
    precondition(
      scalars.count == shape.reduce(1, *),
      "Cannot give \(scalars.count) numbers the shape \(shape)")
    self.shape = shape
    self.scalars = scalars
  }

  /// Creates a tensor of equal numbers.
  package init(repeating value: Float = 0, shape: [Int]) {
    self.init(shape: shape, scalars: Array(repeating: value, count: shape.reduce(1, *)))
  }

  /// Creates a vector.
  package init(_ scalars: [Float]) { self.init(shape: [scalars.count], scalars: scalars) }

  package var count: Int { scalars.count }
  /// Length of the last axis.
  package var columns: Int { shape.last ?? 1 }
  /// Product of all axes but the last.
  package var rows: Int { shape.dropLast().reduce(1, *) }

  /// The same numbers under another shape.
  package func reshaped(_ shape: [Int]) -> Tensor { Tensor(shape: shape, scalars: scalars) }

  /// Row `index` of the tensor seen as a matrix.
  package func row(_ index: Int) -> ArraySlice<Float> {
    scalars[index * columns..<(index + 1) * columns]
  }

  package subscript(row: Int, column: Int) -> Float {
    get { scalars[row * columns + column] }
    set { scalars[row * columns + column] = newValue }
  }

  package subscript(index: Int) -> Float {
    get { scalars[index] }
    set { scalars[index] = newValue }
  }

  package func map(_ transform: (Float) -> Float) -> Tensor {
    Tensor(shape: shape, scalars: scalars.map(transform))
  }

  private func combine(_ other: Tensor, _ operation: (Float, Float) -> Float) -> Tensor {
    precondition(shape == other.shape, "Cannot combine shapes \(shape) and \(other.shape)")
    return Tensor(shape: shape, scalars: zip(scalars, other.scalars).map(operation))
  }

  package static func + (a: Tensor, b: Tensor) -> Tensor { a.combine(b, +) }
  package static func - (a: Tensor, b: Tensor) -> Tensor { a.combine(b, -) }
  package static func * (a: Tensor, b: Tensor) -> Tensor { a.combine(b, *) }

  package func scaled(by factor: Float) -> Tensor { map { $0 * factor } }

  /// Each row multiplied by a factor of its own.
  package func scalingRows(by factors: [Float]) -> Tensor {
    precondition(factors.count == rows, "\(factors.count) factors for \(rows) rows")
    var result = self
    for index in 0..<rows {
      for column in 0..<columns { result[index, column] *= factors[index] }
    }
    return result
  }

  /// The Frobenius norm, summed in double.
  package var norm: Float {
    Float(scalars.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot())
  }

  /// The mean of the rows, shaped `[columns]`, summed in double.
  package var meanRow: Tensor {
    var sums = [Double](repeating: 0, count: columns)
    for index in 0..<rows {
      for (column, value) in row(index).enumerated() { sums[column] += Double(value) }
    }
    return Tensor(sums.map { Float($0 / Double(max(rows, 1))) })
  }

  /// The transpose of a matrix, shaped `[columns, rows]`.
  package var transposed: Tensor {
    var result = Tensor(shape: [columns, rows])
    for row in 0..<rows { for column in 0..<columns { result[column, row] = self[row, column] } }
    return result
  }

  /// The numbers as doubles.
  package var doubles: [Double] { scalars.map(Double.init) }

  /// Whether every number is finite.
  package var isFinite: Bool { scalars.allSatisfy(\.isFinite) }
}

/// The inner product of two equally long vectors, summed in double.
package func dot(_ a: some Collection<Float>, _ b: some Collection<Float>) -> Float {
  Float(zip(a, b).reduce(0.0) { $0 + Double($1.0) * Double($1.1) })
}

/// The cosine between two vectors; 0 if one of them is zero.
package func cosine(_ a: Tensor, _ b: Tensor) -> Float {
  let norms = a.norm * b.norm
  return norms > 0 ? dot(a.scalars, b.scalars) / norms : 0
}
