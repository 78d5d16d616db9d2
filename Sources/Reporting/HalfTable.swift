internal import Bench
internal import Diffing
internal import Foundation
internal import Statistics

/// The held-out half of the organisms beside the development half, method by method.
struct HalfTable {
  private let comparison: HalfComparison

  init(_ comparison: HalfComparison) { self.comparison = comparison }

  private static let questions = Question.allCases

  /// A table a level of access, and one of all methods together.
  var text: String {
    let rows = Self.questions.map(comparison.rows)
    let methods = rows[0].map(\.row)
    let levels = AccessLevel.allCases.compactMap { level -> String? in
      let places = methods.indices.filter { methods[$0].access == level }
      guard !places.isEmpty else { return nil }
      return TextTable(
        header: ["from \(level.rawValue)"] + Self.questions.map(\.rawValue),
        rows: places.map { place in
          [methods[place].method] + rows.map { Self.pair($0[place]) }
        }
      ).fitted
    }
    return ([Self.legend] + levels + [together]).joined(separator: "\n\n")
  }

  private static let legend = Prose.wrapped(
    """
    Half of the organisms were drawn from places of the shuffles at which nobody looked while a default was \
    chosen. Each cell: the mean of the development half, which all other tables are about, and of the held-out \
    half, and in brackets the 95 % interval of the first less the second. whether: AUROC against the plant's own null pairs.
    """)

  private var together: String {
    func numbers(_ figure: (Question) -> Double?) -> [String] {
      Self.questions.map { Prose.number(figure($0), 2) }
    }
    return TextTable(
      header: ["all methods"] + Self.questions.map(\.rawValue),
      rows: [
        ["development less held-out, mean"] + numbers(comparison.advantage),
        ["order that both share, tau-b"] + numbers(comparison.agreement),
      ]
    ).fitted
  }

  private static func pair(_ row: HalfComparison.Row) -> String {
    guard row.development != nil || row.heldOut != nil else { return "-" }
    return "\(Prose.number(row.development, 2)) / \(Prose.number(row.heldOut, 2))"
      + (row.difference?.interval.map { " " + IntervalText.brackets($0) } ?? "")
  }
}
