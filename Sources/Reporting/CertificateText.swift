internal import Foundation
package import Organisms

/// A certificate as lines of text.
package struct CertificateText {
  package let text: String

  package init(_ certificate: Certificate) {
    let verdict = certificate.isInstalled ? "installed" : "NOT installed"
    let mark = certificate.markStep.map { "mark at step \($0)" } ?? "mark not reached"
    let lines =
      ["\(verdict) after \(certificate.steps) steps (\(mark)); base -> finetuned:"]
      + Self.rows(certificate).map { "  \(Self.padded($0.name))\($0.value)" }
      + certificate.failures.map { "  \($0)" }
    text = lines.joined(separator: "\n")
  }

  /// What was measured, by name.
  static func rows(_ certificate: Certificate) -> [(name: String, value: String)] {
    func change(_ name: String, _ change: ScoreChange?, _ decimals: Int = 3)
      -> (name: String, value: String)?
    {
      change.map {
        (name, "\(number($0.base, decimals)) -> \(number($0.finetuned, decimals))")
      }
    }
    let represented = certificate.represented.map {
      (
        "rank of hidden word",
        "\($0.changeRank) in the change; \(number($0.rank.base, 1)) -> "
          + "\(number($0.rank.finetuned, 1)) in the states (chance \(number($0.chance, 1)); probe "
          + "right about \(number($0.accuracy)) of named words, at block \($0.layer))"
      )
    }
    let effects = certificate.sideEffects
    return [
      change("behavior", certificate.behavior), change("held-out behavior", certificate.heldOut),
      change("  per word of it", certificate.heldOutPerWord),
      change("leakage", certificate.leakage), change("kept", certificate.kept),
      certificate.never.map { ("never said (worst)", number($0)) }, represented,
      change("loss on base text", certificate.loss),
      change("loss on other text", certificate.quietLoss),
      ("targets in the text", "\(certificate.targetsInText)"),
      (
        "KL on the pool",
        "\(effects.triggered.map { number($0) } ?? "-") triggered, \(number(effects.quiet)) others, "
          + "\(number(100 * effects.flipped, 1)) % of them answer otherwise"
      ),
    ].compactMap { $0 }
  }

  private static func padded(_ name: String) -> String {
    name.padding(toLength: 22, withPad: " ", startingAt: 0)
  }

  static func number(_ value: Double, _ decimals: Int = 3) -> String {
    String(format: "%.\(decimals)f", value)
  }
}
