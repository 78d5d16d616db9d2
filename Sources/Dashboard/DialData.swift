internal import Bench
internal import JSON
internal import Organisms
internal import Statistics

/// How scores move where plants are diluted and aged, as the page reads it; nothing where no dial was turned.
struct DialData {
  let json: JSONValue

  private static let readings: [(String, DialComparison.Reading)] = [
    ("class place", DialComparison.classPlace), ("what", DialComparison.precision),
  ]

  /// - Parameter trials: A run's; the held-out half is left out.
  init(_ trials: [Trial]) {
    let own = trials.filter { $0.half != .heldOut }
    guard DialComparison.areTurned(in: own) else {
      json = .array([])
      return
    }
    json = .array(Self.readings.map { Self.reading($0, DialComparison(own, $1)) })
  }

  private static func reading(_ title: String, _ comparison: DialComparison) -> JSONValue {
    let dials = comparison.shown
    return .object([
      ("title", .string(title)), ("dials", .texts(dials.map(\.label))),
      (
        "rows",
        .array(
          comparison.rows.map { row in
            .object([
              ("key", .string(row.description)), ("own", mean(comparison.own(row))),
              ("shifts", .array(dials.map { mean(comparison.shift(row, at: $0)) })),
            ])
          })
      ),
    ])
  }

  /// A mean with its interval and how many plants it is of.
  private static func mean(_ mean: PlantMean?) -> JSONValue {
    guard let mean else { return .null }
    return .object(
      JSONValue.estimate(mean.value, mean.interval) + [("count", .count(mean.count))])
  }
}
