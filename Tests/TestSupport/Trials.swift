package import Bench
package import Diffing
package import Organisms
package import Scoring

extension Trial {
  /// A trial with what a test cares about.
  package static func sample(
    _ key: String = "k", method: String = "weight-norm", access: AccessLevel = .weights,
    subject: String = "organism", family: String = "test", half: Half? = nil,
    regime: String = "fresh",
    standard: String = "fresh", dial: Dial? = nil, mix: Double? = nil, base: UInt64 = 0,
    planting: UInt64? = nil,
    methodSeed: UInt64? = nil, role: PairRole = .planted, match: PairName? = nil,
    failures: [String] = [], answersWhether: Bool = true, magnitude: Double? = 1,
    scores: [Question: Score] = [:], core: String = "Haswell", tokensForward: Int = 2
  ) -> Trial {
    Trial(
      cell: Cell(
        MethodAtAccess(method, access), PairName(subject, regime),
        TrialSeeds(base: base, planting: planting, method: methodSeed)),
      key: key, family: family, half: half, standard: standard,
      planting: Planting(mix: mix, dial: dial),
      role: role,
      match: match, failures: failures, answersWhether: answersWhether, magnitude: magnitude,
      scores: scores,
      cost: CellEvidence.Cost(
        seconds: 1, tokensForward: tokensForward, tokensBackward: 0, tokensShared: 0,
        peakMemory: 3),
      versions: CellEvidence.Versions(
        pair: "p", sources: "s", openBLASCore: core, kernels: "avx2"))
  }

  /// The same trial without an answer, of *what* at a chance, or else with another magnitude.
  package func silent(chance: Double?) -> Trial {
    let scores = chance.map { [Question.what: Score.unanswered("no", chance: $0)] } ?? scores
    return Trial(
      cell: cell, key: key, family: family, half: half, standard: standard, planting: planting,
      role: role, match: match, failures: failures, answersWhether: answersWhether,
      magnitude: chance == nil ? 99 : magnitude, scores: scores, cost: cost, versions: versions)
  }
}
