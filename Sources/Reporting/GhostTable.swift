package import Bench
internal import Diffing
internal import Statistics

/// What methods say of plants that were taken out again.
package struct GhostTable {
  /// Nil if there is none.
  package let text: String?

  package init(_ trials: [Trial]) {
    text = GhostComparison(trials).map { comparison in
      let levels = AccessLevel.allCases.compactMap { level -> String? in
        let rows = comparison.rows.filter { $0.row.access == level }
        return rows.isEmpty ? nil : Self.table(rows, from: level).fitted
      }
      return ([Self.legend(comparison)] + levels).joined(separator: "\n\n")
    }
  }

  private static func table(_ rows: [GhostComparison.Row], from level: AccessLevel) -> TextTable {
    TextTable(
      header: ["from \(level.rawValue)", "seen", "ghost seen", "named", "ghost named"],
      rows: rows.map { row in
        [row.row.method]
          + [row.seen.plant, row.seen.ghost, row.named.plant, row.named.ghost].map {
            $0.map { IntervalText($0.value, $0.interval).text } ?? "-"
          }
      })
  }

  private static func legend(_ comparison: GhostComparison) -> String {
    let failed =
      comparison.failed == 0
      ? "" : " (\(comparison.failed) more could not be taken out, and are not counted)"
    return Prose.wrapped(
      """
      \(comparison.count) plants, over all bases, were trained on true facts until no probe said more than .1 more of \
      the behaviour than in the base\(failed): nothing acts in them, and something was there. They count in no other \
      table and among no nulls. seen: \
      the share of the plant's own null pairs that it exceeds, 0.5 is chance; named: average precision of the \
      planted words. Both of the plant, and of the ghost; in brackets 95 % intervals over draws of families, organisms and \
      bases.
      """)
  }
}
