package import Bench
package import Diffing
internal import Scoring

/// Two runs of the same cells, method by method and question by question: each plant is compared with itself.
package struct RunComparison: Sendable {
  /// One method's figure in both runs, over the plants that both have.
  package struct Row: Sendable {
    package let question: Question
    package let first, second: Double
    /// The second run's less the first's; its rows are named alike.
    package let difference: PairedDifference
    package var row: MethodAtAccess { difference.first }
  }

  /// The strongest evidence first.
  package let rows: [Row]
  /// How many planted cells both runs have, and how many of them have the same scores.
  package let shared, unchanged: Int
  /// Methods, and plants, that one of the runs alone has.
  package let onlyFirst, onlySecond: [String]

  /// - Parameters:
  ///   - first: The run of before.
  ///   - second: The run of after.
  package init(_ first: [Trial], _ second: [Trial]) {
    let before = Self.byCell(first), after = Self.byCell(second)
    let both = before.keys.filter { after[$0] != nil }
    shared = both.count
    unchanged = both.filter { before[$0]?.scores == after[$0]?.scores }.count
    onlyFirst = Self.names(first).subtracting(Self.names(second)).sorted()
    onlySecond = Self.names(second).subtracting(Self.names(first)).sorted()
    rows = Self.rows(Self.kept(first, both), Self.kept(second, both))
  }

  private static func byCell(_ trials: [Trial]) -> [Cell: Trial] {
    Dictionary(
      trials.filter { !$0.isNull && $0.isInstalled && !$0.row.isDummy }.map { ($0.cell, $0) }
    ) { first, _ in first }
  }

  private static func names(_ trials: [Trial]) -> Set<String> {
    Set(trials.filter { !$0.isNull }.flatMap { ["\($0.row)", "\($0.pair) on \($0.seeds)"] })
  }

  /// The plants that both runs have, and every null pair.
  private static func kept(_ trials: [Trial], _ cells: [Cell]) -> [Trial] {
    let cells = Set(cells)
    return trials.filter { !$0.row.isDummy && ($0.isNull || cells.contains($0.cell)) }
  }

  private static func rows(_ first: [Trial], _ second: [Trial]) -> [Row] {
    let others = BenchSummary(second).methods
    var found = BenchSummary(first).methods.flatMap { method in
      Question.allCases.compactMap { question in
        others.first { $0.row == method.row }.flatMap { row(question, method, $0) }
      }
    }
    var differences = found.map(\.difference)
    differences.adjust()
    for index in found.indices {
      found[index] = Row(
        question: found[index].question, first: found[index].first, second: found[index].second,
        difference: differences[index])
    }
    return found.sorted { a, b in
      (a.difference.probability, -abs(a.difference.value))
        < (b.difference.probability, -abs(b.difference.value))
    }
  }

  private static func row(
    _ question: Question, _ first: MethodSummary, _ second: MethodSummary
  ) -> Row? {
    let column = Column(question, "")
    guard let both = ColumnIntervals([(column, second), (column, first)]),
      both.estimates.count == 2
    else { return nil }
    return Row(
      question: question, first: both.estimates[1].value, second: both.estimates[0].value,
      difference: PairedDifference(
        both.estimates[0], both.estimates[1], witnesses: both.witnesses))
  }
}
