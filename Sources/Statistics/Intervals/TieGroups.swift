package import Bench

/// Which methods of one column can be told apart: two that share a group cannot, instead of ranks.
///
/// The groups are those of a compact letter display (Piepho, 2004): as many as it takes that every two methods that are not
/// clearly different are together in one, and every two that are clearly different in none.
package struct TieGroups: Sendable {
  /// One method's place.
  package struct Place: Sendable {
    package let estimate: ColumnIntervals.Estimate
    /// Its groups by number; 1 holds the best.
    package let groups: [Int]
    /// In what share of draws no other method is better; ties are shared.
    package let chanceOfBest: Double
  }

  /// The best first, dummies left out.
  package let places: [Place]
  /// Between every two methods.
  package let differences: [PairedDifference]
  /// The methods that are clearly above the best dummy, adjusted for their number.
  package let aboveDummies: Set<MethodAtAccess>
  package let count: Int

  package init(_ column: ColumnIntervals) {
    let methods = column.estimates.filter { !$0.row.isDummy }.sorted { $0.value > $1.value }
    differences = [PairedDifference](methods)
    aboveDummies = Self.aboveDummies(methods, column.estimates.filter(\.row.isDummy))
    let order = Dictionary(methods.enumerated().map { ($1.row, $0) }) { first, _ in first }
    let groups = Self.groups(
      methods.count,
      apart: differences.filter(\.isClear).compactMap { difference in
        order[difference.first].flatMap { a in order[difference.second].map { (a, $0) } }
      })
    count = groups.count
    let best = Self.chancesOfBest(methods)
    places = methods.indices.map { place in
      Place(
        estimate: methods[place],
        groups: groups.indices.filter { groups[$0].contains(place) }.map { $0 + 1 },
        chanceOfBest: best[place])
    }
  }

  /// Inserts every pair that is apart: a group that holds both becomes two, one without each, and groups within others are
  /// absorbed.
  static func groups(_ count: Int, apart: [(Int, Int)]) -> [Set<Int>] {
    guard count > 0 else { return [] }
    var groups: [Set<Int>] = [Set(0..<count)]
    for (a, b) in apart {
      let parted = groups.flatMap { group in
        group.contains(a) && group.contains(b)
          ? [group.subtracting([a]), group.subtracting([b])] : [group]
      }
      groups = []
      for group in parted.sorted(by: { $0.count > $1.count })
      where !groups.contains(where: { group.isSubset(of: $0) }) {
        groups.append(group)
      }
    }
    return groups.sorted { $0.sorted().lexicographicallyPrecedes($1.sorted()) }
  }

  private static func aboveDummies(
    _ methods: [ColumnIntervals.Estimate], _ dummies: [ColumnIntervals.Estimate]
  ) -> Set<MethodAtAccess> {
    guard let best = dummies.max(by: { $0.value < $1.value }) else { return [] }
    var differences = methods.map { PairedDifference($0, best) }
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
