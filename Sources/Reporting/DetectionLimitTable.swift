internal import Bench
internal import Diffing
internal import Organisms
internal import Statistics

/// Limits of detection, method by method: over all families with an interval, then family by family.
struct DetectionLimitTable: Sendable {
  private let summary: BenchSummary
  private let question: Question

  init(_ summary: BenchSummary, _ question: Question) {
    self.summary = summary
    self.question = question
  }

  private static let axes: [(axis: DetectionLimit.Axis, title: String)] = [
    (.mix, "base documents"), (.age, "age"),
  ]

  static let legend = Prose.wrapped(
    """
    The last step of a dial up to which, from the strongest plants on, half of the installed plants are recovered: 1:4 \
    is four base documents to a planted one, x5 five times as many steps. In brackets where that lies in 95 % of draws \
    of families, organisms and bases. 'none': not even at the first step; '+': at the last one too. Family by family it \
    is one organism's, and methods that recover none have no row.
    """)

  /// Over all families.
  var table: TextTable {
    TextTable(
      header: [question.rawValue] + Self.axes.map(\.title),
      rows: rows { method in
        Self.axes.map { axis, _ in
          DetectionLimit(method, question, along: axis).map { Self.text($0, axis) } ?? "-"
        }
      })
  }

  /// Family by family, along one dial.
  func families(_ axis: DetectionLimit.Axis) -> TextTable {
    let families = Set(summary.trials.filter { !$0.isNull }.map(\.family)).sorted()
      .filter { family in
        summary.methods.contains {
          DetectionLimit($0, question, along: axis, family: family, drawCount: 0) != nil
        }
      }
    return TextTable(
      header: ["\(question.rawValue), \(axis.rawValue)"] + families,
      // Whoever recovers none of any family has no row.
      rows: rows { method in
        families.map { family in
          DetectionLimit(method, question, along: axis, family: family, drawCount: 0)
            .map { Self.limit($0, axis) } ?? "-"
        }
      }.filter { row in row.dropFirst().contains { !["-", "none"].contains($0) } })
  }

  private func rows(_ cells: (MethodSummary) -> [String]) -> [[String]] {
    summary.methods.filter { $0.reading(question) != nil }.map { method in
      [method.row.title] + cells(method)
    }
  }

  private static func text(_ limit: DetectionLimit, _ axis: DetectionLimit.Axis) -> String {
    guard let interval = limit.interval else { return Self.limit(limit, axis) }
    return
      "\(Self.limit(limit, axis)) [\(label(interval.low, axis)), \(label(interval.high, axis))]"
  }

  private static func limit(_ limit: DetectionLimit, _ axis: DetectionLimit.Axis) -> String {
    let isLast = limit.limit == limit.steps.last?.place
    return label(limit.limit, axis) + (isLast ? "+" : "")
  }

  private static func label(_ place: Double?, _ axis: DetectionLimit.Axis) -> String {
    guard let place else { return "none" }
    switch axis {
    case .mix: return Dial.mix(place).label
    case .age: return Dial.age(place).label
    }
  }
}
