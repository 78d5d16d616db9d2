internal import Bench
internal import Diffing
internal import Foundation
package import Statistics

/// A gate as JUnit XML: a suite an organism, a case a cell; a suite of the methods' figures over all plants; and one of what
/// could not be done at all.
package struct GateJUnit {
  private let gate: Gate

  package init(_ gate: Gate) { self.gate = gate }

  /// What it starts with, so that no other file is taken for one.
  package static let start =
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"assay gate\""

  package var text: String {
    let suites = Dictionary(grouping: gate.checks) { $0.cell?.pair.subject ?? "all plants" }
      .sorted { $0.key < $1.key }.map { suite($0.key, $0.value) }
    let cases = Self.cases(gate.checks)
    return """
      \(Self.start) tests="\(cases.count + gate.failures.count)" \(counts(cases, gate.failures.count))>
      \((suites + failures).joined(separator: "\n"))
      </testsuites>

      """
  }

  /// What no cell can tell, as cases of their own.
  private var failures: [String] {
    guard !gate.failures.isEmpty else { return [] }
    let cases = gate.failures.enumerated().map { index, failure in
      """
          <testcase classname="gate" name="run \(index + 1)">
            <error type="not-measured" message="not measured">\(Self.escaped(failure))</error>
          </testcase>
      """
    }
    return [
      """
        <testsuite name="gate" tests="\(cases.count)" \(counts([], cases.count))>
      \(cases.joined(separator: "\n"))
        </testsuite>
      """
    ]
  }

  /// The checks of one cell, or of one method's figures.
  private typealias Case = [Gate.Check]

  private static func cases(_ checks: [Gate.Check]) -> [Case] {
    Dictionary(grouping: checks) { $0.cell.map { "\($0)" } ?? "\($0.row)" }
      .sorted { $0.key < $1.key }.map(\.value)
  }

  private func counts(_ cases: [Case], _ others: Int = 0) -> String {
    let failures = cases.filter { $0.contains(where: isFailure) }.count
    let errors = cases.filter(isError).count + others
    return "failures=\"\(failures)\" errors=\"\(errors)\" skipped=\"0\""
  }

  private func isFailure(_ check: Gate.Check) -> Bool {
    check.isRegression || (gate.outcome == .rise && check.verdict == .rose)
  }

  private func isError(_ own: Case) -> Bool {
    !own.contains(where: isFailure) && own.contains { $0.verdict == .notMeasured }
  }

  private func suite(_ name: String, _ checks: [Gate.Check]) -> String {
    let cases = Self.cases(checks)
    return """
        <testsuite name="\(Self.escaped(name))" tests="\(cases.count)" \(counts(cases))>
          <properties>
            <property name="runs" value="\(gate.runCount)"/>
          </properties>
      \(cases.map { text($0, suite: name) }.joined(separator: "\n"))
        </testsuite>
      """
  }

  private func text(_ own: Case, suite: String) -> String {
    guard let first = own.first else { return "" }
    let name = first.cell.map { "\($0.pair.regime) \($0.seeds)" } ?? "all plants"
    let head =
      "    <testcase classname=\"\(Self.escaped("\(suite).\(first.row)"))\" "
      + "name=\"\(Self.escaped(name))\""
    let faults = own.filter { isFailure($0) || $0.verdict == .notMeasured }
    let values = own.filter { $0.verdict != .notMeasured }.map(Self.line).joined(separator: "\n")
    let out = "      <system-out>\(Self.escaped(values))</system-out>\n    </testcase>"
    guard !faults.isEmpty else { return "\(head)>\n\(out)" }
    let message = faults.map { GateFault($0).message }.joined(separator: "\n")
    let kind = isError(own) ? "error" : "failure"
    let type = isError(own) ? "not-measured" : "regression"
    let title = Self.escaped(faults.map(\.question.rawValue).joined(separator: ", "))
    return """
      \(head)>
            <\(kind) type="\(type)" message="\(title)">\(Self.escaped(message))</\(kind)>
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
