internal import Foundation

/// The values of a figure that a run does not rule out.
package struct ConfidenceInterval: Codable, Equatable, Sendable {
  package let low, high: Double

  package init(low: Double, high: Double) {
    self.low = low
    self.high = high
  }

  /// The share of runs whose intervals miss the truth.
  package static let error = 0.05

  /// The interval of a figure: by the percentiles of its replicates, or where clusters are few by their spread.
  ///
  /// Of two families the replicates are three numbers, whose ends hold the truth in seven cases of ten; value ± t
  /// standard errors does in nineteen of twenty.
  ///
  /// - Parameters:
  ///   - value: The figure.
  ///   - replicates: The figure over draws.
  ///   - witnesses: How many clusters were drawn from.
  /// - Returns: Nil without two clusters.
  package init?(_ value: Double, replicates: [Double], witnesses: Int) {
    guard witnesses > 1, !replicates.isEmpty else { return nil }
    guard witnesses < Self.fewWitnesses else {
      self.init(replicates: replicates, witnesses: witnesses)
      return
    }
    let half =
      StudentT.limit(twoSided: Self.error, freedom: witnesses - 1) * replicates.standardDeviation
    self.init(low: value - half, high: value + half)
  }

  /// Below this many the percentiles are not used.
  private static let fewWitnesses = 6

  /// The expanded percentile interval of replicates (Hesterberg, 2015, §4.2).
  ///
  /// Percentiles of a bootstrap over n clusters are too narrow by √((n − 1) / n), and as if the spread were known. So
  /// instead of α / 2 the share Φ(−√(n / (n − 1)) t) is cut off each end, with t Student's at n − 1 degrees.
  ///
  /// - Parameters:
  ///   - replicates: The figure over draws.
  ///   - witnesses: How many clusters were drawn from.
  ///   - error: The share of runs that may miss the truth.
  /// - Returns: Nil without two clusters.
  package init?(replicates: [Double], witnesses: Int, error: Double = Self.error) {
    guard witnesses > 1, !replicates.isEmpty else { return nil }
    let count = Double(witnesses)
    let limit = StudentT.limit(twoSided: error, freedom: witnesses - 1)
    let cut = StudentT.normal(below: -(count / (count - 1)).squareRoot() * limit)
    let sorted = replicates.sorted()
    self.init(low: Self.quantile(sorted, cut), high: Self.quantile(sorted, 1 - cut))
  }

  /// Wilson's interval of a rate (Wilson, 1927), which is none of zero width at 0 and 1.
  ///
  /// - Parameters:
  ///   - rate: The share of cases.
  ///   - count: How many cases there were.
  /// - Returns: Nil without a case.
  package init?(rate: Double, of count: Int, error: Double = Self.error) {
    guard count > 0 else { return nil }
    // Student's t of many degrees is the normal distribution.
    let z = StudentT.limit(twoSided: error, freedom: 1_000_000), n = Double(count)
    let centre = (rate + z * z / (2 * n)) / (1 + z * z / n)
    let half = z / (1 + z * z / n) * (rate * (1 - rate) / n + z * z / (4 * n * n)).squareRoot()
    self.init(low: max(0, centre - half), high: min(1, centre + half))
  }

  /// The interval from the lower of both lower ends to the higher of both higher ones.
  package func joined(_ other: ConfidenceInterval?) -> ConfidenceInterval {
    guard let other else { return self }
    return ConfidenceInterval(low: min(low, other.low), high: max(high, other.high))
  }

  package func contains(_ value: Double) -> Bool { (low...high).contains(value) }

  /// The value that a share of sorted values lies below, between the two that are nearest.
  static func quantile(_ sorted: [Double], _ share: Double) -> Double {
    let place = min(max(share, 0), 1) * Double(sorted.count - 1)
    let below = Int(place), above = min(below + 1, sorted.count - 1)
    return sorted[below] + (place - Double(below)) * (sorted[above] - sorted[below])
  }
}
