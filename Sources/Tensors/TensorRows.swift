internal import CKernels
/// The inner product of two equally long vectors, summed in double.
public func dot(_ a: [Float], _ b: [Float]) -> Float { dot(a[...], b[...]) }

/// The inner product of two equally long vectors, summed in double.
public func dot(_ a: ArraySlice<Float>, _ b: [Float]) -> Float { dot(a, b[...]) }

/// The inner product of two equally long vectors, summed in double.
public func dot(_ a: ArraySlice<Float>, _ b: ArraySlice<Float>) -> Float {
  precondition(a.count == b.count, "Vectors of \(a.count) and \(b.count) numbers")
  return a.withUnsafeBufferPointer { x in
    b.withUnsafeBufferPointer { y in
      guard let x = x.baseAddress, let y = y.baseAddress else { return 0 }
      return Float(kernels.dot(x, y, a.count))
    }
  }
}

extension Tensor {
  /// e to the power of each number.
  public var exponentials: Tensor {
    let values = [Float](unsafeUninitializedCapacity: count) { target, initialised in
      scalars.withUnsafeBufferPointer { source in
        guard let from = source.baseAddress, let to = target.baseAddress else { return }
        kernels.exponential(from, count, to)
      }
      initialised = count
    }
    return Tensor(shape: shape, scalars: values)
  }

  /// The rows at `indices`, shaped `[indices, columns]`.
  public func rows(at indices: [Int]) -> Tensor {
    let width = columns
    precondition(indices.allSatisfy { $0 >= 0 && $0 < rows }, "A row outside of the tensor")
    let chosen = [Float](unsafeUninitializedCapacity: indices.count * width) {
      target, initialised in
      scalars.withUnsafeBufferPointer { source in
        guard let from = source.baseAddress, let to = target.baseAddress else { return }
        for (place, index) in indices.enumerated() {
          (to + place * width).initialize(from: from + index * width, count: width)
        }
      }
      initialised = indices.count * width
    }
    return Tensor(shape: [indices.count, width], scalars: chosen)
  }

  /// Some neighbouring columns of each row, shaped `[rows, columns]`.
  public func columns(_ range: Range<Int>) -> Tensor {
    let width = columns
    precondition(
      range.lowerBound >= 0 && range.upperBound <= width, "Columns outside of the tensor")
    return Tensor(rows: rows, columns: range.count) { result in
      scalars.withUnsafeBufferPointer { source in
        guard let from = source.baseAddress else { return }
        for row in 0..<result.rows {
          (result.start + row * range.count).initialize(
            from: from + row * width + range.lowerBound, count: range.count)
        }
      }
    }
  }

  /// The norm of each row.
  public var rowNorms: [Float] { (0..<rows).map { euclideanNorm(row($0)) } }

  /// The mean of the rows, shaped `[columns]`, summed in double.
  public var meanRow: Tensor { means(of: [Array(0..<rows)]).reshaped([columns]) }

  /// The sum of the rows, in double.
  public var sumOfRows: [Double] { sum(of: 0..<rows) }

  /// The mean of the rows in each of some groups, shaped `[groups, columns]`, summed in double.
  public func means(of groups: [[Int]]) -> Tensor {
    var means: [Float] = []
    means.reserveCapacity(groups.count * columns)
    for group in groups {
      means += sum(of: group).map { Float($0 / Double(max(1, group.count))) }
    }
    return Tensor(shape: [groups.count, columns], scalars: means)
  }

  @inline(__always)
  private func sum(of indices: some Collection<Int>) -> [Double] {
    let width = columns
    return scalars.withUnsafeBufferPointer { source in
      var sums = [Double](repeating: 0, count: width)
      for row in indices {
        for column in 0..<width { sums[column] += Double(source[row * width + column]) }
      }
      return sums
    }
  }

  /// Each number changed by what a function makes of its row, its column and itself.
  @inline(__always)
  private func mapEntries(_ transform: (_ row: Int, _ column: Int, _ value: Float) -> Float)
    -> Tensor
  {
    let width = columns, height = rows
    let values = [Float](unsafeUninitializedCapacity: count) { target, initialised in
      scalars.withUnsafeBufferPointer { source in
        for row in 0..<height {
          for column in 0..<width {
            let index = row * width + column
            target[index] = transform(row, column, source[index])
          }
        }
      }
      initialised = count
    }
    return Tensor(shape: shape, scalars: values)
  }

  /// Each row multiplied by a factor of its own.
  public func scalingRows(by factors: [Float]) -> Tensor {
    precondition(factors.count == rows, "\(factors.count) factors for \(rows) rows")
    return mapEntries { row, _, value in value * factors[row] }
  }

  /// Each row divided by its length; rows of zeros stay it.
  public var unitRows: Tensor { scalingRows(by: rowNorms.map { $0 > 0 ? 1 / $0 : 0 }) }

  /// Each column multiplied by a factor of its own.
  public func scalingColumns(by factors: Tensor) -> Tensor {
    precondition(factors.count == columns, "\(factors.count) factors for \(columns) columns")
    return mapEntries { _, column, value in value * factors[column] }
  }

  /// Every row plus `factor` times a vector.
  public func addingToRows(_ vector: Tensor, scaled factor: Float = 1) -> Tensor {
    precondition(vector.count == columns, "A vector of \(vector.count) for rows of \(columns)")
    return mapEntries { _, column, value in value + factor * vector[column] }
  }

  /// Every row less its own mean: a shift of all logits changes no probability.
  public var centredRows: Tensor {
    let means = (0..<rows).map { row($0).mean }
    return mapEntries { row, _, value in value - means[row] }
  }

  /// Rows whose component along a unit vector is taken from other rows.
  public func projected(onto other: Tensor, along unit: Tensor) -> Tensor {
    let steps = (0..<rows).map { dot(other.row($0), unit.scalars) - dot(row($0), unit.scalars) }
    return mapEntries { row, column, value in value + steps[row] * unit[column] }
  }
}

/// √Σx², also where a square is outside of single precision's range.
func euclideanNorm(_ values: ArraySlice<Float>) -> Float {
  let square = dot(values, values)
  if square.isNormal { return square.squareRoot() }
  let sum = values.reduce(0.0) { $0 + Double($1) * Double($1) }
  return Float(sum.squareRoot())
}
