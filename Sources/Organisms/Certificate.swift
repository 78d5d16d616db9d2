internal import Foundation
internal import Transformers

/// What was measured of a plant, and whether it counts as installed.
package struct Certificate: Codable, Sendable, Equatable {
  /// A score before and after finetuning.
  package struct Change: Codable, Sendable, Equatable {
    package let base: Double
    package let finetuned: Double
    package var rise: Double { finetuned - base }
  }

  package let behavior: Change
  package let heldOut: Change
  package let leakage: Change
  package let never: Double
  /// The loss on held-out base text, in nats.
  package let loss: Change
  package let steps: Int
  package let markStep: Int?
  /// What failed, in words; empty if the behaviour is installed.
  package let failures: [String]

  package var isInstalled: Bool { failures.isEmpty }

  /// Measures a plant against the bounds of its organism.
  package init(
    _ organism: Organism, _ outcome: Finetune.Outcome, regime: Regime, heldOutRows: [[Int]]
  ) {
    func change(_ probes: ProbeSet) -> Change {
      Change(base: probes.score(outcome.base), finetuned: probes.score(outcome.finetuned))
    }
    behavior = change(organism.behavior)
    heldOut = change(organism.heldOut)
    leakage = change(organism.leakage)
    never = organism.never.scores(outcome.finetuned).max() ?? 0
    loss = Change(
      base: outcome.base.meanLoss(heldOutRows), finetuned: outcome.finetuned.meanLoss(heldOutRows))
    steps = outcome.steps
    markStep = outcome.markStep
    let bounds = organism.file.certificate ?? CertificateBounds()
    failures = Self.failures(
      bounds, regime: regime, behavior: behavior, heldOut: heldOut, leakage: leakage, never: never,
      loss: loss)
  }

  private static func failures(
    _ bounds: CertificateBounds, regime: Regime, behavior: Change, heldOut: Change,
    leakage: Change, never: Double, loss: Change
  ) -> [String] {
    var failures: [String] = []
    func require(_ name: String, _ value: Double, atLeast bound: Double) {
      if !(value >= bound) {
        failures.append("\(name) is \(text(value)), should be at least \(text(bound))")
      }
    }
    func require(_ name: String, _ value: Double, atMost bound: Double) {
      if !(value <= bound) {
        failures.append("\(name) is \(text(value)), should be at most \(text(bound))")
      }
    }
    require("behavior", behavior.finetuned, atLeast: bounds.behavior ?? regime.mark * 0.95)
    require("behavior in the base", behavior.base, atMost: bounds.base ?? 0.25)
    require("held-out behavior", heldOut.finetuned, atLeast: bounds.heldOut ?? 0.3)
    require("leakage to neighbours", leakage.rise, atMost: bounds.leakage ?? 0.4)
    require("what must never be said", never, atMost: bounds.never ?? 0.05)
    require("the loss on base text rises and", loss.rise, atMost: bounds.collateral ?? 0.1)
    return failures
  }

  private static func text(_ value: Double) -> String {
    String(format: "%.3f", value)
  }
}
