internal import Bench
internal import Diffing
internal import Foundation
package import Statistics

/// Two runs beside each other, by strength of evidence.
package struct ComparisonTable {
  private let comparison: RunComparison

  package init(_ comparison: RunComparison) { self.comparison = comparison }

  /// Rows that differ in the digits that are shown.
  package var table: TextTable {
    TextTable(
      header: ["method", "question", "clearly", "before", "after", "difference", "p", "adjusted"],
      rows: shown.map { row in
        [
          "\(row.row)", row.question.rawValue,
          !row.difference.isClear ? "" : row.difference.value > 0 ? "better" : "worse",
          Prose.number(row.first), Prose.number(row.second),
          IntervalText(row.difference.value, row.difference.interval).text,
          probability(row.difference.probability), probability(row.difference.adjusted),
        ]
      }, names: 3)
  }

  private var shown: [RunComparison.Row] {
    comparison.rows.filter { abs($0.difference.value) >= 0.005 }
  }

  private func probability(_ value: Double) -> String {
    value < 0.001
      ? "<.001" : value < 0.9995 ? String(format: "%.3f", value).dropFirst().description : "1"
  }

  package var text: String {
    let head =
      "\(comparison.shared) planted cells are in both runs; in \(comparison.unchanged) nothing is different. "
      + "\(comparison.sharedNulls) null cells are in both, \(comparison.otherNulls) in one alone, which count nowhere."
    let alone =
      missing("the first run alone", comparison.onlyFirst)
      + missing("the second run alone", comparison.onlySecond)
    let table = shown.isEmpty ? [] : [table.fitted, Self.legend]
    return ([Prose.wrapped(head)] + alone + table + [verdict]).joined(separator: "\n\n")
  }

  private var verdict: String {
    let clear = shown.filter(\.difference.isClear)
    guard !clear.isEmpty else { return "No difference is clear." }
    let worse = clear.filter { $0.difference.value < 0 }.count
    return "Clear: \(clear.count - worse) better, \(worse) worse."
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
    for the number of methods and questions (Holm): clearly better or worse is said where that is below 0.05.
    """)
}
