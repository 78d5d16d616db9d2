internal import Bench
internal import Diffing
internal import JSON
package import Statistics

/// A gate for programs: every figure with its bounds and values, as `Fixtures/gate.schema.json` describes.
package struct GateResults {
  /// Of the layout; a key that is added does not raise it.
  package static let version = 1

  private let gate: Gate

  package init(_ gate: Gate) { self.gate = gate }

  /// What the text starts with, so that no other file is taken for one.
  package static let start = "{\n  \"version\": \(version),\n  \"outcome\""

  /// JSON, a figure a line.
  package var json: String {
    let checks = gate.checks.map { "    " + JSON.plainText(of: Self.object($0)) }
    let failures = JSON.plainText(of: .array(gate.failures.map(JSONValue.string)))
    return """
      {
        "version": \(Self.version),
        "outcome": "\(gate.outcome.rawValue)",
        "exitCode": \(gate.outcome.exitCode),
        "runs": \(gate.runCount),
        "confirmations": \(gate.confirmationCount),
        "newCells": \(gate.newCells),
        "failures": \(failures),
        "figures": [
      \(checks.joined(separator: ",\n"))
        ]
      }

      """
  }

  private static func object(_ check: Gate.Check) -> JSONValue {
    let plant: [(String, JSONValue)] =
      check.cell.map { cell in
        [
          ("organism", .string(cell.pair.subject)), ("regime", .string(cell.pair.regime)),
          ("base", .unsigned(cell.seeds.base)), ("planting", .unsigned(cell.seeds.planting)),
        ]
      } ?? []
    return .object(
      [
        ("method", .string(check.row.method)), ("access", .string(check.row.access.rawValue)),
      ] + plant + [
        ("question", .string(check.question.rawValue)),
        ("verdict", .string(check.verdict.rawValue)),
        (
          "blessed",
          .object([("low", .number(check.expected.low)), ("high", .number(check.expected.high))])
        ), ("least", .number(check.lowest)), ("most", .number(check.highest)),
        ("values", .array(check.values.map { $0.map(JSONValue.number) ?? .null })),
        ("passShare", check.passShare.map(JSONValue.number) ?? .null),
      ] + (check.reason.map { [("reason", .string($0))] } ?? []))
  }

  /// What the CSV starts with.
  package static let csvStart = header.joined(separator: ",")

  private static let header = [
    "method", "access", "organism", "regime", "base", "question", "verdict", "low", "high", "least",
    "value", "passShare",
  ]

  /// The same figures as a table, for CSV.
  package var table: TextTable {
    TextTable(
      header: Self.header,
      rows: gate.checks.map { check in
        [
          check.row.method, check.row.access.rawValue, check.cell?.pair.subject ?? "",
          check.cell?.pair.regime ?? "", check.cell.map { "\($0.seeds.base)" } ?? "",
          check.question.rawValue, check.verdict.rawValue, Prose.number(check.expected.low, 3),
          Prose.number(check.expected.high, 3), Prose.number(check.lowest, 4),
          check.value.map { Prose.number($0, 4) } ?? "",
          check.passShare.map { Prose.number($0, 3) } ?? "",
        ]
      }, names: 7)
  }
}
