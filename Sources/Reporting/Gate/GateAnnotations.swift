internal import Bench
internal import Diffing
internal import Foundation
internal import Organisms
package import Statistics

/// A gate as annotations of GitHub Actions: a line each on standard output.
package struct GateAnnotations {
  /// No more are shown of a step.
  private static let most = 10

  private let gate: Gate

  package init(_ gate: Gate) { self.gate = gate }

  /// The worst first.
  package var lines: [String] {
    (gate.regressions + gate.checks(.notMeasured)).prefix(Self.most).map { check in
      let place = GatePlace(check)
      return "::error file=\(Self.property(place.file)),line=1,"
        + "title=\(Self.property("Assay: \(check.question.rawValue) of \(check.row)"))"
        + "::\(Self.data(place.message))"
    }
  }

  /// What ends neither the line nor the command.
  private static func data(_ text: String) -> String {
    text.replacing("%", with: "%25").replacing("\r\n", with: "%0D%0A")
      .replacing("\r", with: "%0D").replacing("\n", with: "%0A")
  }

  private static func property(_ text: String) -> String {
    data(text).replacing(":", with: "%3A").replacing(",", with: "%2C")
  }
}

/// Where a check belongs, and what is to be said of it.
struct GatePlace {
  /// A file of the checkout.
  let file: String
  let message: String

  init(_ check: Gate.Check) {
    file =
      check.cell.map { "Organisms/\(Self.stem($0.pair.subject)).json" } ?? "Fixtures/ledger.json"
    let blessed = Prose.number(check.expected.low, 3)
    let held = check.passShare.map { "; it held in \(GateText.percent($0)) of the runs" } ?? ""
    let name =
      "\(check.question.rawValue) of \(check.row) on "
      + (check.cell.map { "\($0.pair)" } ?? "all plants")
    message =
      switch check.verdict {
      case .notMeasured: "\(name) was not measured: \(check.reason ?? "nothing was run")."
      case .silent: "\(name) is not answered any more; \(blessed) was blessed."
      case .held, .fell, .rose:
        "\(name) is \(Prose.number(check.value, 3)); \(blessed) was blessed, and it may fall to "
          + "\(Prose.number(check.lowest, 3))\(held)."
      }
  }

  /// Both halves of a drawn organism come from one file.
  private static func stem(_ organism: String) -> String {
    organism.hasSuffix(Half.heldOutSuffix)
      ? String(organism.dropLast(Half.heldOutSuffix.count)) : organism
  }
}
