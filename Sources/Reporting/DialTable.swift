internal import Organisms
internal import Bench
package import Statistics

/// One row a method: its mean in the own regimes, and how it changes along the dials.
package struct DialTable: Sendable {
  private let comparison: DialComparison
  private let title: String

  package init(_ comparison: DialComparison, title: String) {
    self.comparison = comparison
    self.title = title
  }

  package var table: TextTable {
    let dials = comparison.shown
    return TextTable(
      header: [title, "own"] + dials.map(\.label),
      rows: comparison.rows.compactMap { row in
        guard let own = comparison.own(row) else { return nil }
        return [row.title, IntervalText(own.value, own.interval).text]
          + dials.map { dial in
            comparison.shift(row, at: dial).map {
              "\(IntervalText($0.value, $0.interval).text) (\($0.count))"
            } ?? "-"
          }
      })
  }
}
