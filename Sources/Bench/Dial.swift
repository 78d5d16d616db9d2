/// How far a plant was diluted or aged beyond its organism's own regime.
package struct Dial: Hashable, Sendable {
  /// `1:4`: four base documents to a planted one; `x5`: five times as many steps; `own`: neither.
  package let label: String

  /// The organism's own regime.
  package static let own = Dial(label: "own")
  /// Every place along the dials, from undiluted to old.
  package static let all = labels.map { Dial(label: $0.label) }

  private static let labels =
    Certification.dilutions.map { (ending: "-1to\(text($0))", label: "1:\(text($0))") }
    + Certification.ages.filter { $0 != 1 }.map { (ending: "-x\(text($0))", label: "x\(text($0))") }

  private init(label: String) { self.label = label }

  /// The dial that a regime's name ends with, as `Regime.diluted` and `Regime.aged` name them.
  package init(ofRegime name: String) {
    label = Self.labels.first { name.hasSuffix($0.ending) }?.label ?? Self.own.label
  }

  private static func text(_ number: Double) -> String {
    number == number.rounded() ? "\(Int(number))" : "\(number)"
  }
}
