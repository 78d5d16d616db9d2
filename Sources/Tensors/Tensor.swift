/// An array of floats with a shape, row-major: a value, copied on write.
public struct Tensor: Equatable, Sendable {
  /// Length of each axis, the slowest first.
  public let shape: [Int]
  /// The numbers, row by row.
  public private(set) var scalars: [Float]

  /// Creates a tensor.
  ///
  /// - Precondition: `scalars` has as many elements as `shape` says.
  public init(shape: [Int], scalars: [Float]) {
    precondition(
      scalars.count == shape.reduce(1, *),
      "Cannot give \(scalars.count) numbers the shape \(shape)")
    self.shape = shape
    self.scalars = scalars
  }

  /// Creates a tensor of equal numbers.
  public init(repeating value: Float = 0, shape: [Int]) {
    self.init(shape: shape, scalars: Array(repeating: value, count: shape.reduce(1, *)))
  }

  /// Creates a vector.
  public init(_ scalars: [Float]) { self.init(shape: [scalars.count], scalars: scalars) }

  /// How many numbers there are.
  public var count: Int { scalars.count }
  /// Length of the last axis.
  public var columns: Int { shape.last ?? 1 }
  /// Product of all axes but the last.
  public var rows: Int { shape.dropLast().reduce(1, *) }

  /// The same numbers under another shape.
  public func reshaped(_ shape: [Int]) -> Tensor { Tensor(shape: shape, scalars: scalars) }

  /// Row `index` of the tensor seen as a matrix.
  public func row(_ index: Int) -> ArraySlice<Float> {
    scalars[index * columns..<(index + 1) * columns]
  }

  /// The number in a row and column.
  public subscript(row: Int, column: Int) -> Float {
    get { scalars[row * columns + column] }
    set { scalars[row * columns + column] = newValue }
  }

  /// The number at a place, counted row by row.
  public subscript(index: Int) -> Float {
    get { scalars[index] }
    set { scalars[index] = newValue }
  }

  /// Applies a function to each number.
  public func map(_ transform: (Float) -> Float) -> Tensor {
    Tensor(shape: shape, scalars: scalars.map(transform))
  }

  @inline(__always)
  private func combine(_ other: Tensor, _ operation: (Float, Float) -> Float) -> Tensor {
    precondition(shape == other.shape, "Cannot combine shapes \(shape) and \(other.shape)")
    let combined = [Float](unsafeUninitializedCapacity: count) { target, initialised in
      scalars.withUnsafeBufferPointer { a in
        other.scalars.withUnsafeBufferPointer { b in
          for index in 0..<a.count { target[index] = operation(a[index], b[index]) }
        }
      }
      initialised = count
    }
    return Tensor(shape: shape, scalars: combined)
  }

  /// The sum, number by number.
  public static func + (a: Tensor, b: Tensor) -> Tensor { a.combine(b, +) }
  /// The difference, number by number.
  public static func - (a: Tensor, b: Tensor) -> Tensor { a.combine(b, -) }
  /// The product, number by number.
  public static func * (a: Tensor, b: Tensor) -> Tensor { a.combine(b, *) }

  /// Every number multiplied by a factor.
  public func scaled(by factor: Float) -> Tensor {
    Tensor(shape: shape, scalars: scalars.map { $0 * factor })
  }

  /// The Frobenius norm, summed in double.
  public var norm: Float { euclideanNorm(scalars[...]) }

  /// The same direction, of length 1; zero stays zero.
  public var unit: Tensor { scaled(by: 1 / max(norm, .leastNormalMagnitude)) }

  /// The transpose of a matrix, shaped `[columns, rows]`.
  public var transposed: Tensor {
    var result = Tensor(shape: [columns, rows])
    for row in 0..<rows { for column in 0..<columns { result[column, row] = self[row, column] } }
    return result
  }

  /// Whether every number is finite.
  public var isFinite: Bool { scalars.allSatisfy(\.isFinite) }
}

/// The cosine between two vectors; 0 if one of them is zero.
public func cosine(_ a: Tensor, _ b: Tensor) -> Float {
  let norms = a.norm * b.norm
  return norms > 0 ? dot(a.scalars, b.scalars) / norms : 0
}
