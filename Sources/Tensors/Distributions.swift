extension Tensor {
  /// The logarithm of each row's softmax.
  public var logProbabilities: Tensor {
    Tensor(rows: rows, columns: columns) { result in
      result.copy(scalars)
      logSoftmax(result)
    }.reshaped(shape)
  }
}

// Written out for each type: a generic one is not specialised in other rooms, and costs tenfold there.

extension [Float] {
  /// The mean, summed in double; 0 if empty.
  public var mean: Float { self[...].mean }
}

extension ArraySlice<Float> {
  /// The mean, summed in double; 0 if empty.
  public var mean: Float {
    var sum = 0.0
    for value in self { sum += Double(value) }
    return isEmpty ? 0 : Float(sum / Double(count))
  }
}

extension [Double] {
  /// The mean; 0 if empty.
  public var mean: Double { isEmpty ? 0 : reduce(0, +) / Double(count) }
}

/// KL(p ‖ q) of two rows of log-probabilities, in nats.
public func divergence(_ p: ArraySlice<Float>, _ q: ArraySlice<Float>) -> Double {
  zip(p, q).reduce(0.0) { $0 + Double(exponential($1.0)) * Double($1.0 - $1.1) }
}

/// KL(p ‖ q) of each row of two tensors of log-probabilities, in nats; never below 0.
public func rowDivergences(_ p: Tensor, _ q: Tensor) -> [Double] {
  let weights = p.exponentials
  return (0..<p.rows).map { row in
    var sum = 0.0
    for index in row * p.columns..<(row + 1) * p.columns {
      sum += Double(weights[index] * (p[index] - q[index]))
    }
    return max(0, sum)
  }
}
