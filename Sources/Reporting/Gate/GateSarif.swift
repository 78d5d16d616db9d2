internal import Bench
internal import Diffing
internal import Foundation
internal import JSON
package import Statistics

/// A gate as SARIF 2.1.0, for code scanning: a rule a kind of fault, a result a figure.
package struct GateSarif {
  private let gate: Gate

  package init(_ gate: Gate) { self.gate = gate }

  private static func text(_ kind: GateFault.Kind) -> String {
    switch kind {
    case .fell: "A score is lower than what was blessed, by more than noise."
    case .silent: "A question that was answered is not answered any more."
    case .notMeasured: "A blessed figure was not measured."
    case .rose: "A score is higher than what was blessed, by more than noise."
    }
  }

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
          GateFault.Kind.allCases.map { kind in
            .object([
              ("id", .string(kind.rawValue)),
              ("shortDescription", .object([("text", .string(Self.text(kind)))])),
            ])
          })
      ),
    ])
  }

  private var results: [JSONValue] { GateFault.all(gate).prefix(Self.most).map(Self.result) }

  /// What code scanning shows of a run.
  private static let most = 5000

  private static func result(_ fault: GateFault) -> JSONValue {
    let location: JSONValue = .object([
      (
        "physicalLocation",
        .object([
          ("artifactLocation", .object([("uri", .string(fault.file))])),
          ("region", .object([("startLine", .integer(1))])),
        ])
      )
    ])
    return .object([
      ("ruleId", .string(fault.kind.rawValue)), ("level", .string("error")),
      ("message", .object([("text", .string(fault.message))])),
      ("locations", .array([location])),
      ("partialFingerprints", .object([("assayFigure/v1", .string(fault.fingerprint))])),
    ])
  }
}
