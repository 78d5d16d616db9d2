extension Tensor {
  /// The rows at `indices`, shaped `[indices, columns]`.
  package func rows(at indices: [Int]) -> Tensor {
    Tensor(shape: [indices.count, columns], scalars: indices.flatMap { row($0) })
  }

  /// The logarithm of each row's softmax.
  package var logProbabilities: Tensor {
    let matrix = Matrix(self)
    logSoftmax(matrix)
    return matrix.tensor
  }

  /// The norm of each row.
  package var rowNorms: [Float] { (0..<rows).map { Tensor(Array(row($0))).norm } }
}

extension Collection where Element == Float {
  /// The mean, summed in double; 0 if empty.
  package var mean: Float {
    isEmpty ? 0 : Float(reduce(0.0) { $0 + Double($1) } / Double(count))
  }
}

extension Collection where Element == Double {
  /// The mean; 0 if empty.
  package var mean: Double { isEmpty ? 0 : reduce(0, +) / Double(count) }
}

/// KL(p ‖ q) of two rows of log-probabilities, in nats.
package func divergence(_ p: ArraySlice<Float>, _ q: ArraySlice<Float>) -> Double {
  zip(p, q).reduce(0.0) { $0 + Double(exponential($1.0)) * Double($1.0 - $1.1) }
}
