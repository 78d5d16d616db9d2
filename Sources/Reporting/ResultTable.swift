package import Bench
internal import Diffing
internal import JSON
internal import Organisms
internal import Statistics

/// A run's figures for programs and papers: for every question, level of access and method a mean with its interval.
package struct ResultTable {
  /// Of the layout of the JSON; a key that is added does not raise it.
  package static let version = 1

  private struct Result {
    let question: String
    let place: TieGroups.Place
    let isAboveDummies: Bool
    let counts: ColumnIntervals.Counts
  }

  private let summary: BenchSummary
  private let results: [Result]

  /// - Parameter trials: A run's; the held-out half is left out, as in the tables of a report.
  package init(_ trials: [Trial]) {
    let summary = BenchSummary(developmentOf: trials)
    self.summary = summary
    results = AccessLevel.allCases.flatMap { access in
      IntervalTable(summary, access).columns.flatMap { column in
        column.groups.places.map {
          Result(
            question: column.title, place: $0,
            isAboveDummies: column.groups.aboveDummies.contains($0.estimate.row),
            counts: column.intervals.counts)
        }
      }
    }
  }

  /// A row a figure.
  package var table: TextTable {
    TextTable(
      header: [
        "question", "access", "method", "mean", "low", "high", "groups", "chanceOfBest",
        "aboveDummies", "families", "organisms", "bases",
      ],
      rows: results.map { result in
        let estimate = result.place.estimate
        return [
          result.question, estimate.row.access.rawValue, estimate.row.method,
          Prose.number(estimate.value, 4),
          estimate.interval.map { Prose.number($0.low, 4) } ?? "",
          estimate.interval.map { Prose.number($0.high, 4) } ?? "",
          result.place.groups.map(IntervalTable.letter).joined(),
          Prose.number(result.place.chanceOfBest, 3), "\(result.isAboveDummies)",
          "\(result.counts.families)", "\(result.counts.organisms)", "\(result.counts.bases)",
        ]
      }, names: 3)
  }

  /// The same as JSON, a figure a line, as `Fixtures/results.schema.json` describes.
  package var json: String {
    """
    {
      "version": \(Self.version),
      "results": [
    \(results.map { "    " + JSON.plainText(of: Self.object($0)) }.joined(separator: ",\n"))
      ]
    }

    """
  }

  private static func object(_ result: Result) -> JSONValue {
    let estimate = result.place.estimate
    return .object([
      ("question", .string(result.question)), ("access", .string(estimate.row.access.rawValue)),
      ("method", .string(estimate.row.method)), ("mean", .number(estimate.value)),
      ("low", estimate.interval.map { .number($0.low) } ?? .null),
      ("high", estimate.interval.map { .number($0.high) } ?? .null),
      ("groups", .array(result.place.groups.map { .string(IntervalTable.letter($0)) })),
      ("chanceOfBest", .number(result.place.chanceOfBest)),
      ("aboveDummies", .bool(result.isAboveDummies)),
      ("families", .integer(Int64(result.counts.families))),
      ("organisms", .integer(Int64(result.counts.organisms))),
      ("bases", .integer(Int64(result.counts.bases))),
    ])
  }

  /// A table a level of access for a paper, each under a comment that names it.
  package var latex: String {
    AccessLevel.allCases.compactMap { access in
      let table = IntervalTable(summary, access)
      return table.columns.isEmpty ? nil : "% from \(access.rawValue)\n\(table.table.latex)\n"
    }.joined(separator: "\n")
  }
}
