internal import Bench
internal import Diffing
internal import Foundation
internal import Statistics

/// The methods of one level of access with what the run allows one to say of each figure.
struct IntervalTable {
  private let methods: [MethodSummary]
  private let access: AccessLevel
  let columns: [(title: String, intervals: ColumnIntervals, groups: TieGroups)]

  init(_ summary: BenchSummary, _ access: AccessLevel) {
    self.access = access
    let methods = summary.methods(at: access), dummies = summary.dummies(at: access)
    self.methods = methods
    columns = Self.leading.compactMap { column in
      guard methods.contains(where: { column.figure($0) != nil }) else { return nil }
      return ColumnIntervals(column, methods + dummies).map { (column.title, $0, TieGroups($0)) }
    }
  }

  /// The leading figure of each question, and how plants stand out from harmless finetunes.
  private static let leading = ColumnGroup.all.flatMap(\.columns).filter { column in
    column.title == "novel" || Question.allCases.contains { $0.rawValue == column.title }
  }

  static let legend = Prose.wrapped(
    """
    Each mean with its 95 % interval, over draws of families, organisms and bases, of which the last rows say how \
    many there are: of other bases one base says nothing, and of other families one family. \(MethodTable.mark) here: not \
    clearly above the best dummy of the level. Two methods that share a letter are not clearly different, by paired \
    differences over the same draws, adjusted for how many pairs of methods there are (Holm). Then, in %, how often no \
    other method is better.
    """)

  var text: String { table.fitted }

  /// Figures with intervals and groups, and what they are made of.
  var table: TextTable {
    TextTable(
      header: ["of \(access.rawValue)"] + columns.map(\.title),
      rows: methods.map(row) + [
        counts("families") { $0.families }, counts("organisms") { $0.organisms },
        counts("bases") { $0.bases },
      ])
  }

  private func row(_ method: MethodSummary) -> [String] {
    [method.row.method] + columns.map { cell($0.groups, method.row) }
  }

  private func cell(_ groups: TieGroups, _ row: MethodAtAccess) -> String {
    guard let place = groups.places.first(where: { $0.estimate.row == row }) else { return "-" }
    let mark = groups.aboveDummies.contains(row) ? " " : MethodTable.mark
    let figure = IntervalText(place.estimate.value, place.estimate.interval).text + mark
    // Of one witness nothing can be said.
    guard place.estimate.witnesses > 1 else { return figure }
    let best = Int((place.chanceOfBest * 100).rounded())
    let letters = place.groups.map(Self.letter).joined()
    return figure + letters + " "
      + (best < 1 ? "" : "\(best)")
      .padding(toLength: 3, withPad: " ", startingAt: 0)
  }

  /// a, b, ..., z, aa: as columns of a sheet are called.
  static func letter(_ group: Int) -> String {
    guard group > 26 else { return String(UnicodeScalar(UInt8(96 + max(1, group)))) }
    return letter((group - 1) / 26) + letter((group - 1) % 26 + 1)
  }

  private func counts(_ title: String, _ count: (ColumnIntervals.Counts) -> Int) -> [String] {
    [title] + columns.map { "\(count($0.intervals.counts))" }
  }
}

/// A figure with its interval in brackets.
struct IntervalText {
  let text: String

  init(_ value: Double, _ interval: ConfidenceInterval?) {
    text = Self.number(value) + (interval.map { " " + Self.brackets($0) } ?? "")
  }

  static func brackets(_ interval: ConfidenceInterval) -> String {
    "[\(number(interval.low)), \(number(interval.high))]"
  }

  private static func number(_ value: Double) -> String { Prose.short(value, 2) }
}
