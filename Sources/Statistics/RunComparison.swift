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
  /// How many planted cells both runs have, and in how many of them nothing is different.
  package let shared, unchanged: Int
  /// How many null pairs of methods both have, and how many one of them alone.
  package let sharedNulls, otherNulls: Int
  /// Methods, plants and answers that one of the runs alone has.
  package let onlyFirst, onlySecond: [String]

  /// - Parameters:
  ///   - first: The run of before.
  ///   - second: The run of after.
  package init(_ first: [Trial], _ second: [Trial]) {
    let before = Self.byCell(first), after = Self.byCell(second)
    let both = Set(before.keys.filter { after[$0] != nil })
    let plants = both.filter { before[$0]?.isNull == false }
    shared = plants.count
    unchanged = plants.filter { Self.isEqual(before[$0], after[$0]) }.count
    sharedNulls = both.count - plants.count
    otherNulls =
      Self.nullCount(before) + Self.nullCount(after) - 2 * sharedNulls
    let kept = (first.filter { both.contains($0.cell) }, second.filter { both.contains($0.cell) })
    let methods = (BenchSummary(kept.0).methods, BenchSummary(kept.1).methods)
    let answers = (Self.answers(methods.0), Self.answers(methods.1))
    let names = (
      Self.names(first).union(answers.0), Self.names(second).union(answers.1)
    )
    onlyFirst = names.0.subtracting(names.1).sorted()
    onlySecond = names.1.subtracting(names.0).sorted()
    rows = Self.rows(methods.0, methods.1)
  }

  private static func byCell(_ trials: [Trial]) -> [Cell: Trial] {
    Dictionary(trials.filter { $0.isInstalled && !$0.row.isDummy }.map { ($0.cell, $0) }) {
      first, _ in first
    }
  }

  private static func nullCount(_ cells: [Cell: Trial]) -> Int {
    cells.values.filter(\.isNull).count
  }

  private static func isEqual(_ a: Trial?, _ b: Trial?) -> Bool {
    a?.scores == b?.scores && a?.magnitude == b?.magnitude
  }

  private static func names(_ trials: [Trial]) -> Set<String> {
    Set(trials.filter { !$0.isNull }.flatMap { ["\($0.row)", "\($0.pair) on \($0.seeds)"] })
  }

  /// The questions that each method answers.
  private static func answers(_ methods: [MethodSummary]) -> Set<String> {
    Set(
      methods.flatMap { method in
        Question.allCases.filter { method.reading($0) != nil }.map {
          "\($0.rawValue) by \(method.row)"
        }
      })
  }

  private static func rows(_ first: [MethodSummary], _ others: [MethodSummary]) -> [Row] {
    var found = first.flatMap { method in
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
    let isAnswered = first.reading(question) != nil || second.reading(question) != nil
    let column = Column(question.rawValue, "", .mean { Self.reading(question, $0, isAnswered) })
    guard let both = ColumnIntervals([(column, second), (column, first)]),
      both.estimates.count == 2
    else { return nil }
    return Row(
      question: question, first: both.estimates[1].value, second: both.estimates[0].value,
      difference: PairedDifference(both.estimates[0], both.estimates[1]))
  }

  /// What a method's figure is made of: who fell silent, or spoke first in the other run, is at chance.
  static func reading(
    _ question: Question, _ method: MethodSummary, _ isAnswered: Bool
  ) -> MethodSummary.Reading? {
    if let own = method.reading(question) { return own }
    guard isAnswered, question != .whether else { return nil }
    return { $0.score(question)?.counted }
  }
}
