internal import Organisms

/// How far a plant was diluted or aged beyond its organism's own regime.
package struct Dial: Hashable, Sendable {
  /// `1:4`: four base documents to a planted one; `x5`: five times as many steps; `own`: neither.
  package let label: String

  /// The organism's own regime.
  package static let own = Dial(label: "own")
  /// Every place along the dials, from undiluted to old.
  package static let all = labels.map { Dial(label: $0.label) }

  /// What regimes end with that were turned, and what readers see of it.
  private static let labels = turned.map { regime -> (ending: String, label: String) in
    let ending = String(regime.id.dropFirst(Regime.fresh.id.count))
    return (ending, String(ending.dropFirst()).replacing("to", with: ":"))
  }

  private static let turned =
    Certification.dilutions.map(Regime.fresh.diluted)
    + Certification.ages.filter { $0 != 1 }.map(Regime.fresh.aged)

  private init(label: String) { self.label = label }

  /// The dial that a regime's name ends with, as `Regime.diluted` and `Regime.aged` name them.
  package init(ofRegime name: String) {
    label = Self.labels.first { name.hasSuffix($0.ending) }?.label ?? Self.own.label
  }

  /// Whether a run turned any dial.
  package static func areTurned(in trials: [Trial]) -> Bool {
    trials.contains { Dial(ofRegime: $0.regime) != .own }
  }
}
