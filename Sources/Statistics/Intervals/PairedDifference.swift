package import Bench
internal import Tensors

/// One method's figure less another's, over the same draws.
package struct PairedDifference: Sendable {
  package let first, second: MethodAtAccess
  package let value: Double
  package let interval: ConfidenceInterval?
  /// The probability of a difference as large as this if there were none, by Student's t.
  package let probability: Double
  /// The same, adjusted for how many differences are looked at (Holm, 1979).
  package fileprivate(set) var adjusted: Double

  /// Whether the difference is more than chance among all that are looked at.
  package var isClear: Bool { adjusted < ConfidenceInterval.error }

  /// How many independent witnesses it rests on: those of the figure that has fewer.
  package let witnesses: Int

  init(_ a: ColumnIntervals.Estimate, _ b: ColumnIntervals.Estimate) {
    first = a.row
    second = b.row
    value = a.value - b.value
    let differences = zip(a.replicates, b.replicates).compactMap { a, b in
      a.flatMap { a in b.map { a - $0 } }
    }
    witnesses = min(a.witnesses, b.witnesses)
    interval = ConfidenceInterval(value, replicates: differences, witnesses: witnesses)
    probability = Self.probability(value, spread: differences, witnesses: witnesses)
    adjusted = probability
  }

  /// The difference over its standard error, the standard deviation over draws, by Student's t at one degree fewer than
  /// there are witnesses.
  ///
  /// Where no draw moves the difference, each of n witnesses says the same: by the test of signs 2^(1 − n).
  private static func probability(_ value: Double, spread: [Double], witnesses: Int) -> Double {
    guard witnesses > 1, spread.count > 1, value != 0 else { return 1 }
    let error = spread.standardDeviation
    // What is left of equal numbers after summing them in other orders.
    guard error > 1e-12 else {
      return abs(value) > 1e-12 ? 2 / Double(sign: .plus, exponent: witnesses, significand: 1) : 1
    }
    return StudentT.twoSided(value / error, freedom: witnesses - 1)
  }
}

extension [PairedDifference] {
  /// Every pair of figures, adjusted for their number.
  init(_ estimates: [ColumnIntervals.Estimate]) {
    self = estimates.indices.flatMap { a in
      estimates.indices.filter { $0 > a }.map { b in
        PairedDifference(estimates[a], estimates[b])
      }
    }
    adjust()
  }

  /// Holm's step-down adjustment: the k-th smallest of m probabilities times m − k + 1, and none below the one before.
  mutating func adjust() {
    var highest = 0.0
    let order = indices.sorted { self[$0].probability < self[$1].probability }
    for (place, index) in order.enumerated() {
      highest = Swift.max(
        highest, Swift.min(1, self[index].probability * Double(count - place)))
      self[index].adjusted = highest
    }
  }
}

extension [Double] {
  /// The square root of the mean square about the mean, of one fewer.
  var standardDeviation: Double {
    guard count > 1 else { return 0 }
    let mean = mean
    return (reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(count - 1)).squareRoot()
  }
}
