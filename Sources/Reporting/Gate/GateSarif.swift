internal import Bench
internal import Diffing
internal import Foundation
internal import JSON
package import Statistics

/// A gate as SARIF 2.1.0, for code scanning: a rule a kind of fault, a result a figure.
package struct GateSarif {
  private let gate: Gate

  package init(_ gate: Gate) { self.gate = gate }

  private static let rules: [(verdict: Gate.Verdict, id: String, text: String)] = [
    (.fell, "score-fell", "A score is lower than what was blessed, by more than noise."),
    (.silent, "question-silent", "A question that was answered is not answered any more."),
    (.notMeasured, "not-measured", "A blessed figure was not measured."),
  ]

  /// What it starts with, so that no other file is taken for one.
  package static let start = "{\n  \"$schema\": \"https://json.schemastore.org/sarif"

  package var text: String {
    let root: JSONValue = .object([
      ("$schema", .string("https://json.schemastore.org/sarif-2.1.0.json")),
      ("version", .string("2.1.0")),
      (
        "runs",
        .array([
          .object([
            ("tool", .object([("driver", driver)])), ("results", .array(results)),
            ("columnKind", .string("unicodeCodePoints")),
          ])
        ])
      ),
    ])
    return JSON.plainText(of: root, layout: .pretty) + "\n"
  }

  private var driver: JSONValue {
    .object([
      ("name", .string("Assay")),
      (
        "rules",
        .array(
          Self.rules.map { rule in
            .object([
              ("id", .string(rule.id)),
              ("shortDescription", .object([("text", .string(rule.text))])),
            ])
          })
      ),
    ])
  }

  private var results: [JSONValue] {
    Self.rules.flatMap { rule in
      gate.checks(rule.verdict).sorted { ($1.depth, $0.name) < ($0.depth, $1.name) }
        .prefix(Self.most / Self.rules.count).map { result($0, rule.id) }
    }
  }

  /// What code scanning shows of a run.
  private static let most = 5000

  private func result(_ check: Gate.Check, _ rule: String) -> JSONValue {
    let place = GatePlace(check)
    let location: JSONValue = .object([
      (
        "physicalLocation",
        .object([
          ("artifactLocation", .object([("uri", .string(place.file))])),
          ("region", .object([("startLine", .integer(1))])),
        ])
      )
    ])
    return .object([
      ("ruleId", .string(rule)), ("level", .string("error")),
      ("message", .object([("text", .string(place.message))])),
      ("locations", .array([location])),
      ("partialFingerprints", .object([("assayFigure/v1", .string(check.name))])),
    ])
  }
}
