package import Scoring

/// What an investigator found in a pair, what that is worth, and what it says therefore.
package struct InvestigationReport: Sendable {
  package let arm: GameArm
  package let finding: Investigator.Finding
  /// The strengths of what the same investigator found where nothing was planted; nil for nothing, or nothing tested.
  package let nulls: [Double?]
  /// Whose these pairs are, in words.
  package let nullsOrigin: String
  /// The largest chance that a verdict may have.
  package let level: Double

  package init(
    arm: GameArm, finding: Investigator.Finding, nulls: [Double?], nullsOrigin: String,
    level: Double
  ) {
    self.arm = arm
    self.finding = finding
    self.nulls = nulls
    self.nullsOrigin = nullsOrigin
    self.level = level
  }

  /// The chance of so much strength where nothing was planted; nil if there is none, or nothing to compare with.
  package var chance: Double? {
    nulls.isEmpty ? nil : finding.strength.map { ConformalChance.of($0, among: nulls) }
  }

  /// What it says; nil if it cannot say how often that would be wrong.
  package var verdict: Verdict? {
    guard !nulls.isEmpty else { return nil }
    return arm.asserts(finding.strength, among: nulls, level: level)
      ? Verdict(finding) : .abstention
  }
}

extension GameArm {
  /// Whether a finding is enough to say that something was planted: it is rare where nothing was, and what was tested
  /// speaks for the hypothesis.
  ///
  /// - Parameters:
  ///   - strength: What the finding is worth; nil if nothing was found or tested.
  ///   - nulls: What was found where nothing was planted.
  ///   - level: The largest chance that is allowed.
  package func asserts(_ strength: Double?, among nulls: [Double?], level: Double) -> Bool {
    guard let strength, budget == 0 || strength > 0 else { return false }
    return ConformalChance.of(strength, among: nulls) <= level
  }
}

/// The chance of a figure where nothing was planted, from such figures: of m of them, (1 + those at least as large) / (1 + m).
///
/// If pairs can be exchanged, at most that share of pairs in which nothing was planted has so small a chance (Vovk, Gammerman &
/// Shafer, Algorithmic Learning in a Random World, 2005).
package enum ConformalChance {
  package static func of(_ figure: Double, among nulls: [Double?]) -> Double {
    Double(1 + nulls.count { $0.map { $0 >= figure } ?? false }) / Double(1 + nulls.count)
  }

  /// How few figures allow so small a chance.
  package static func fewest(for level: Double) -> Int { Int((1 / level).rounded(.up)) - 1 }
}
