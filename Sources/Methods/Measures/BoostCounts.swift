internal import Diffing
package import Tensors

/// Which tokens are among the most boosted at many positions.
package struct BoostCounts: Sendable {
  /// How often each token is among the most boosted, and among the most lowered.
  package let first, last: [Int]
  /// Each token's mean change, centred.
  package let mean: [Float]
  private let change: Tensor

  /// Counts.
  ///
  /// - Parameters:
  ///   - logits: The change of the logits, shaped `[positions, vocabulary]`; a shift of a whole row
  ///     changes nothing.
  ///   - depth: Tokens counted at each end of each position.
  package init(_ logits: Tensor, depth: Int) {
    let vocabulary = logits.columns
    change = Tensor(
      shape: logits.shape, scalars: (0..<logits.rows).flatMap { centred(logits.row($0)) })
    mean = change.meanRow.scalars
    var first = [Int](repeating: 0, count: vocabulary), last = first
    for row in 0..<change.rows {
      let values = change.row(row)
      let (low, high) = Self.limits(values, depth: min(depth, vocabulary))
      for (token, value) in values.enumerated() where value != 0 {
        if value >= high { first[token] += 1 }
        if value <= low { last[token] += 1 }
      }
    }
    self.first = first
    self.last = last
  }

  /// The values that `depth` of a row's are not above, and not below.
  static func limits(_ values: ArraySlice<Float>, depth: Int) -> (low: Float, high: Float) {
    var largest = [Float](repeating: -.infinity, count: depth)
    var smallest = [Float](repeating: .infinity, count: depth)
    for value in values {
      if value > largest[depth - 1] { insert(value, into: &largest, before: >) }
      if value < smallest[depth - 1] { insert(value, into: &smallest, before: <) }
    }
    return (smallest[depth - 1], largest[depth - 1])
  }

  private static func insert(
    _ value: Float, into sorted: inout [Float], before: (Float, Float) -> Bool
  ) {
    var place = sorted.count - 1
    while place > 0 && before(value, sorted[place - 1]) {
      sorted[place] = sorted[place - 1]
      place -= 1
    }
    sorted[place] = value
  }

  /// Whether anything moved.
  package var isChanged: Bool { change.exceedsRounding }

  /// How much more often a token is boosted than lowered, in standard errors of chance.
  package var scores: [Float] {
    zip(first, last).map(Significance.excess)
  }

  /// How far some tokens moved the way that is claimed, summed at each position.
  func movement(of claims: [TokenClaim]) -> [Float] {
    (0..<change.rows).map { row in
      claims.reduce(0) { $0 + max(0, Float($1.sign) * change[row, $1.token]) }
    }
  }

  /// The positive part at evenly spaced positions, shaped `[positions, vocabulary]`.
  func boosted(positions: Int) -> Tensor {
    let count = min(positions, change.rows)
    return change.rows(at: (0..<count).map { $0 * change.rows / count }).map { max(0, $0) }
  }
}
