internal import Tensors

/// Figures of singular values, the largest first.
package enum Spectrum {
  /// exp(−Σ p ln p) with p the singular values' shares of their sum (Roy & Vetterli, 2007).
  ///
  /// Shares of the values, not of their squares; 1 for a rank-one matrix, n for the identity of n,
  /// whatever the scale, and 0 for a zero matrix.
  package static func effectiveRank(_ values: [Float]) -> Double {
    let sum = values.reduce(0.0) { $0 + Double($1) }
    guard sum > 0 else { return 0 }
    let entropy = values.map { Double($0) / sum }.filter { $0 > 0 }
      .reduce(0.0) { $0 - $1 * logarithm($1) }
    return Double(exponential(Float(entropy)))
  }

  /// ‖A‖² / σ₁²: 1 for a rank-one matrix, n for the identity of n, 0 for a zero matrix.
  package static func stableRank(_ values: [Float]) -> Double {
    guard let first = values.first, first > 0 else { return 0 }
    return values.reduce(0.0) { $0 + Double($1) * Double($1) } / (Double(first) * Double(first))
  }

  /// The share of the squared norm that the first singular values hold; 0 for a zero matrix.
  package static func energy(_ values: [Float], first count: Int) -> Double {
    let squares = values.map { Double($0) * Double($0) }
    let total = squares.reduce(0, +)
    return total > 0 ? squares.prefix(count).reduce(0, +) / total : 0
  }
}
