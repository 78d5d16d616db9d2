internal import Bench
internal import Diffing
package import Statistics

/// Two runs beside each other, by strength of evidence.
package struct ComparisonTable {
  private let comparison: RunComparison

  package init(_ comparison: RunComparison) { self.comparison = comparison }

  /// Rows that differ at all.
  package var table: TextTable {
    TextTable(
      header: ["method", "question", "before", "after", "difference", "p", "adjusted", ""],
      rows: comparison.rows.filter { $0.difference.value != 0 }.map { row in
        [
          row.row.title, row.question.rawValue, Prose.number(row.first), Prose.number(row.second),
          IntervalText(row.difference.value, row.difference.interval).text,
          Prose.number(row.difference.probability, 3), Prose.number(row.difference.adjusted, 3),
          !row.difference.isClear ? "" : row.difference.value > 0 ? "better" : "worse",
        ]
      }, names: 2)
  }

  package var text: String {
    let head =
      "\(comparison.shared) planted cells are in both runs; \(comparison.unchanged) have the same scores."
    let alone =
      missing("the first run alone", comparison.onlyFirst)
      + missing("the second run alone", comparison.onlySecond)
    let table = table.rows.isEmpty ? [] : [table.fitted, Self.legend]
    return ([Prose.wrapped(head)] + alone + table).joined(separator: "\n\n")
  }

  private func missing(_ place: String, _ names: [String]) -> [String] {
    guard !names.isEmpty else { return [] }
    let shown = names.prefix(10).joined(separator: ", ")
    let more = names.count > 10 ? " and \(names.count - 10) more" : ""
    return [Prose.wrapped("In \(place): \(shown)\(more).")]
  }

  private static let legend = Prose.wrapped(
    """
    Over the plants that both runs have, each compared with itself; in brackets the interval of the difference, over \
    draws of families, organisms and bases. p is the probability of such a difference if there were none, adjusted \
    for the number of methods and questions (Holm): better and worse are said where that is below 0.05.
    """)
}
