internal import Bench
internal import Scoring

/// How often a detector that is set on broad null pairs raises an alarm where nothing was planted.
///
/// The threshold is what at most 5 % of the broad nulls of *other* bases exceed, regime by regime, so that
/// the rate on broad nulls is measured and not set. With one base there are no others: then the threshold
/// is its own, and only the rate on narrow nulls says anything.
package struct FalsePositives: Equatable, Sendable {
  /// The share of broad nulls above the threshold; nil with one base.
  package let broad: Double?
  /// The share of narrow nulls above the threshold.
  package let narrow: Double?

  /// Measures rates.
  ///
  /// - Parameter bases: The observations of each base; plants among them do not count.
  package init(_ bases: [[Calibration.Observation]]) {
    var counts: [PairRole: (alarms: Int, of: Int)] = [:]
    let regimes = Set(bases.flatMap { $0.filter { $0.role == .broad }.map(\.regime) }).sorted()
    for regime in regimes {
      for index in bases.indices {
        let others = bases.count > 1 ? bases.indices.filter { $0 != index } : [index]
        let broad = others.flatMap { base in
          bases[base].filter { $0.role == .broad && $0.regime == regime }.map(\.value)
        }
        guard let limit = Ranking.threshold(broad, falsePositiveRate: Calibration.falsePositiveRate)
        else {
          continue
        }
        for observation in bases[index] where observation.regime == regime {
          counts[observation.role, default: (0, 0)].of += 1
          if observation.value > limit { counts[observation.role, default: (0, 0)].alarms += 1 }
        }
      }
    }
    func rate(_ role: PairRole) -> Double? {
      counts[role].flatMap { $0.of > 0 ? Double($0.alarms) / Double($0.of) : nil }
    }
    broad = bases.count > 1 ? rate(.broad) : nil
    narrow = rate(.narrow)
  }
}
