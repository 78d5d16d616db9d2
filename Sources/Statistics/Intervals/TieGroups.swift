package import Bench

/// The methods of one column in groups that can be told apart, instead of ranks.
///
/// A group starts with the best method that is in none, and ends before the first one below it that is clearly less. So
/// within a group some may still differ, and the first of two groups always do.
package struct TieGroups: Sendable {
  /// One method's place.
  package struct Place: Sendable {
    package let estimate: ColumnIntervals.Estimate
    /// 1 is the best.
    package let group: Int
    /// In what share of draws no other method is better; ties are shared.
    package let chanceOfBest: Double
  }

  /// The best first, dummies left out.
  package let places: [Place]
  /// Between every two methods.
  package let differences: [PairedDifference]
  /// The methods that are clearly above the best dummy, adjusted for their number.
  package let aboveDummies: Set<MethodAtAccess>
  package var count: Int { places.last?.group ?? 0 }

  package init(_ column: ColumnIntervals) {
    let methods = column.estimates.filter { !$0.row.isDummy }
    differences = [PairedDifference](methods, witnesses: column.witnesses)
    aboveDummies = Self.aboveDummies(methods, column)
    let sorted = methods.sorted { $0.value > $1.value }
    let best = Self.chancesOfBest(sorted)
    let clear = Set(
      differences.filter(\.isClear).flatMap { [[$0.first, $0.second], [$0.second, $0.first]] })
    var group = 0, leader: MethodAtAccess?
    places = zip(sorted, best).map { estimate, chance in
      if leader.map({ clear.contains([$0, estimate.row]) }) ?? true {
        group += 1
        leader = estimate.row
      }
      return Place(estimate: estimate, group: group, chanceOfBest: chance)
    }
  }

  private static func aboveDummies(
    _ methods: [ColumnIntervals.Estimate], _ column: ColumnIntervals
  ) -> Set<MethodAtAccess> {
    let dummies = column.estimates.filter(\.row.isDummy)
    guard let best = dummies.max(by: { $0.value < $1.value }) else {
      return Set(methods.map(\.row))
    }
    var differences = methods.map { PairedDifference($0, best, witnesses: column.witnesses) }
    differences.adjust()
    return Set(differences.filter { $0.isClear && $0.value > 0 }.map(\.first))
  }

  private static func chancesOfBest(_ estimates: [ColumnIntervals.Estimate]) -> [Double] {
    var wins = [Double](repeating: 0, count: estimates.count), draws = 0.0
    for draw in estimates.first?.replicates.indices ?? 0..<0 {
      let values = estimates.map { $0.replicates[draw] ?? -.infinity }
      guard let highest = values.max(), highest.isFinite else { continue }
      let best = values.indices.filter { values[$0] == highest }
      for index in best { wins[index] += 1 / Double(best.count) }
      draws += 1
    }
    return wins.map { draws > 0 ? $0 / draws : 0 }
  }
}
