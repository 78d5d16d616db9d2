internal import Organisms
internal import Bench
internal import Foundation
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
        guard let own = comparison.pair(row, at: nil) else { return nil }
        return [row.title, Prose.number(own.own)]
          + dials.map { dial in
            comparison.pair(row, at: dial).map {
              String(format: "%+.2f (%d)", $0.there - $0.own, $0.count)
            } ?? "-"
          }
      })
  }
}
