internal import Bench
internal import Diffing
internal import Foundation
package import Statistics

/// A gate as JUnit XML: a suite an organism, a case a cell, and a suite of the methods' figures over all plants.
package struct GateJUnit {
  private let gate: Gate

  package init(_ gate: Gate) { self.gate = gate }

  /// What it starts with, so that no other file is taken for one.
  package static let start =
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"assay gate\""

  package var text: String {
    let suites = Dictionary(grouping: gate.checks) { $0.cell?.pair.subject ?? "all plants" }
      .sorted { $0.key < $1.key }.map { suite($0.key, $0.value) }
    let count = Self.cases(gate.checks).count
    return """
      \(Self.start) tests="\(count)" \(Self.counts(Self.cases(gate.checks)))>
      \(suites.joined(separator: "\n"))
      </testsuites>

      """
  }

  /// The checks of one cell, or of one method's figures.
  private typealias Case = [Gate.Check]

  private static func cases(_ checks: [Gate.Check]) -> [Case] {
    Dictionary(grouping: checks) { $0.cell.map { "\($0)" } ?? "\($0.row)" }
      .sorted { $0.key < $1.key }.map(\.value)
  }

  private static func counts(_ cases: [Case]) -> String {
    let failures = cases.filter { $0.contains(where: \.isRegression) }.count
    let errors = cases.filter(isError).count
    return "failures=\"\(failures)\" errors=\"\(errors)\" skipped=\"0\""
  }

  private static func isError(_ own: Case) -> Bool {
    !own.contains(where: \.isRegression) && own.contains { $0.verdict == .notMeasured }
  }

  private func suite(_ name: String, _ checks: [Gate.Check]) -> String {
    let cases = Self.cases(checks)
    return """
        <testsuite name="\(Self.escaped(name))" tests="\(cases.count)" \(Self.counts(cases))>
          <properties>
            <property name="runs" value="\(gate.runCount)"/>
          </properties>
      \(cases.map { Self.text($0, suite: name) }.joined(separator: "\n"))
        </testsuite>
      """
  }

  private static func text(_ own: Case, suite: String) -> String {
    guard let first = own.first else { return "" }
    let name = first.cell.map { "\($0.pair.regime) \($0.seeds)" } ?? "all plants"
    let head =
      "    <testcase classname=\"\(escaped("\(suite).\(first.row)"))\" name=\"\(escaped(name))\""
    let faults = own.filter { $0.isRegression || $0.verdict == .notMeasured }
    let values = own.filter { $0.verdict != .notMeasured }.map(line).joined(separator: "\n")
    let out = "      <system-out>\(escaped(values))</system-out>\n    </testcase>"
    guard !faults.isEmpty else { return "\(head)>\n\(out)" }
    let message = faults.map { GatePlace($0).message }.joined(separator: "\n")
    let kind = isError(own) ? "error" : "failure"
    let type = isError(own) ? "not-measured" : "regression"
    let title = escaped(faults.map(\.question.rawValue).joined(separator: ", "))
    return """
      \(head)>
            <\(kind) type="\(type)" message="\(title)">\(escaped(message))</\(kind)>
      \(out)
      """
  }

  private static func line(_ check: Gate.Check) -> String {
    "\(check.question.rawValue) \(Prose.number(check.value, 3)), least \(Prose.number(check.lowest, 3)), "
      + "held in \(check.passShare.map(GateText.percent) ?? "-")"
  }

  /// Text that XML 1.0 can hold: of control characters it has but three.
  static func escaped(_ text: String) -> String {
    text.unicodeScalars.reduce(into: "") { result, scalar in
      switch scalar {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      case "\n": result += "&#10;"
      case "\t": result += "&#9;"
      default:
        let isLegal = scalar.value >= 0x20 && ![0xFFFE, 0xFFFF].contains(scalar.value)
        result.unicodeScalars.append(isLegal ? scalar : "\u{FFFD}")
      }
    }
  }
}
