internal import Bench
internal import Diffing
internal import Foundation
internal import Organisms
internal import Statistics

/// Something for which a gate does not pass, and where it belongs.
struct GateFault {
  /// Of what kind it is.
  enum Kind: String, CaseIterable {
    case fell = "score-fell"
    case silent = "question-silent"
    case notMeasured = "not-measured"
    case rose = "score-rose"
  }

  let kind: Kind
  let title: String
  let message: String
  /// A file of the checkout.
  let file: String
  /// The same for the same fault of every run.
  let fingerprint: String

  /// All of a gate's, the worst first: what could not be done at all, what fell, what was not measured, what rose where
  /// that fails.
  static func all(_ gate: Gate) -> [GateFault] {
    let rises = gate.outcome == .rise ? gate.checks(.rose) : []
    return gate.failures.map(GateFault.init)
      + (gate.regressions + gate.checks(.notMeasured) + rises).map(GateFault.init)
  }

  private init(_ failure: String) {
    kind = .notMeasured
    title = "Assay: not measured"
    message = "\(failure)."
    file = Self.ledger
    fingerprint = failure
  }

  init(_ check: Gate.Check) {
    kind =
      switch check.verdict {
      case .silent: .silent
      case .notMeasured: .notMeasured
      case .rose: .rose
      case .fell, .held: .fell
      }
    title = "Assay: \(check.question.rawValue) of \(check.row)"
    file = check.cell.map { "Organisms/\(Self.stem($0.pair.subject)).json" } ?? Self.ledger
    fingerprint = check.name
    message = Self.message(check)
  }

  private static let ledger = "Fixtures/ledger.json"

  private static func message(_ check: Gate.Check) -> String {
    let name =
      "\(check.question.rawValue) of \(check.row) on "
      + (check.cell.map { "\($0.pair)" } ?? "all plants")
    let blessed = Prose.number(check.expected.low, 3)
    switch check.verdict {
    case .notMeasured: return "\(name) was not measured: \(check.reason ?? "nothing was run")."
    case .silent: return "\(name) is not answered any more; \(blessed) was blessed."
    case .rose:
      return "\(name) is \(Prose.number(check.value, 3)); \(blessed) was blessed: bless it."
    case .held, .fell:
      let held = check.passShare.map { "; it held in \(GateText.percent($0)) of the runs" } ?? ""
      return
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
