internal import Diffing
package import Tensors

/// Two models' next-token distributions compared row by row, in nats.
package struct RowComparison: Sendable {
  /// KL(p ‖ q) of each row.
  package let forward: [Double]
  /// KL(q ‖ p) of each row.
  package let reverse: [Double]
  /// The Jensen-Shannon divergence of each row, at most ln 2.
  package let jensenShannon: [Double]
  /// The entropy of p less that of q, of each row.
  package let entropyChange: [Double]

  /// Of models that compute the same, the answers that are furthest apart differ by some 10⁻⁷ nats.
  static let rounding = 1e-6

  /// Compares rows of log-probabilities, shaped `[rows, vocabulary]`.
  package init(_ p: Tensor, _ q: Tensor) {
    // One exponential a number serves all four.
    let a = p.exponentials, b = q.exponentials
    var forward: [Double] = [], reverse: [Double] = [], shared: [Double] = [],
      entropy: [Double] = []
    for row in 0..<p.rows {
      var sums = (forward: 0.0, reverse: 0.0, shared: 0.0, entropy: 0.0)
      let range = row * p.columns..<(row + 1) * p.columns
      for index in range {
        let (logA, logB) = (p.scalars[index], q.scalars[index])
        let (x, y) = (a.scalars[index], b.scalars[index])
        let middle = Float(logarithm(Double((x + y) / 2)))
        sums.forward += Double(x * (logA - logB))
        sums.reverse += Double(y * (logB - logA))
        if x + y > 0 { sums.shared += 0.5 * Double(x * (logA - middle) + y * (logB - middle)) }
        sums.entropy += Double(y * logB - x * logA)
      }
      forward.append(max(0, sums.forward))
      reverse.append(max(0, sums.reverse))
      shared.append(max(0, sums.shared))
      entropy.append(sums.entropy)
    }
    self.forward = forward
    self.reverse = reverse
    jensenShannon = shared
    entropyChange = entropy
  }
}
