internal import Tensors
package import Diffing
internal import Scoring

/// One method at one level of access over all its trials.
package struct MethodSummary: Sendable {
  package let method: String
  package let access: AccessLevel
  /// Calibrated base by base and then averaged.
  package let whether: WhetherSummary?
  /// Mean scores by question, over the trials that have one, and how many those are.
  package let means: [Question: (value: Double, chance: Double, count: Int)]
  /// Mean rank among the candidates of a planted token's class, and chance.
  package let classRank: (value: Double, chance: Double)?
  /// Mean seconds a trial.
  package let seconds: Double

  package struct WhetherSummary: Sendable {
    package let area: Double
    package let narrowArea: Double?
    package let recall: Double?
    package let narrowFalseAlarms: Double?
    package let invariantFalseAlarms: Double?
  }

  init(method: String, access: AccessLevel, trials: [Trial]) {
    self.method = method
    self.access = access
    let planted = trials.filter { !$0.isNull && $0.isInstalled }
    whether = trials.first?.answersWhether == true ? Self.whether(trials) : nil
    var means: [Question: (value: Double, chance: Double, count: Int)] = [:]
    for question in Question.allCases {
      let scores = planted.compactMap { $0.score(question) }.filter { $0.value != nil }
      guard !scores.isEmpty else { continue }
      means[question] = (
        scores.compactMap(\.value).mean, scores.map(\.chance).mean, scores.count
      )
    }
    self.means = means
    let ranks = planted.compactMap { $0.score(.what)?.details["classRank"] }
    let chances = planted.compactMap { $0.score(.what)?.details["classChance"] }
    classRank = ranks.isEmpty ? nil : (ranks.mean, chances.mean)
    seconds = trials.map(\.cost.seconds).mean
  }

  private static func whether(_ trials: [Trial]) -> WhetherSummary? {
    let seeds = Set(trials.map(\.seed)).sorted()
    let calibrations = seeds.flatMap { seed in
      // A plant that is not installed takes the null pairs that are matched with it along.
      let own = trials.filter { $0.seed == seed }
      let missing = Set(own.filter { !$0.isInstalled }.map { "\($0.subject)@\($0.regime)" })
      return Calibration.byRegime(
        own.filter { $0.isInstalled && !missing.contains($0.match ?? "") }.map {
          Calibration.Observation(
            regime: $0.recipe, magnitude: $0.magnitude, role: $0.role)
        })
    }
    guard let area = Calibration.mean(calibrations, \.area) else { return nil }
    return WhetherSummary(
      area: area, narrowArea: Calibration.mean(calibrations, \.narrowArea),
      recall: Calibration.mean(calibrations, \.recall),
      narrowFalseAlarms: Calibration.mean(calibrations, \.narrowFalseAlarms),
      invariantFalseAlarms: Calibration.mean(calibrations, \.invariantFalseAlarms))
  }
}

/// The results of a run, method by method.
package struct BenchSummary: Sendable {
  package let methods: [MethodSummary]
  package let trials: [Trial]
  /// Organisms with their regimes, in the order of the trials.
  package let organisms: [String]
  /// Plants that did not certify.
  package let notInstalled: [String]

  package init(_ trials: [Trial]) {
    self.trials = trials
    var order: [(String, AccessLevel)] = []
    for trial in trials where !order.contains(where: { $0 == (trial.method, trial.access) }) {
      order.append((trial.method, trial.access))
    }
    let ranked = AccessLevel.allCases.flatMap { level in order.filter { $0.1 == level } }
    methods = ranked.map { method, access in
      MethodSummary(
        method: method, access: access,
        trials: trials.filter { $0.method == method && $0.access == access })
    }
    organisms = Self.unique(trials.filter { !$0.isNull }.map { "\($0.subject)@\($0.regime)" })
    notInstalled = Self.unique(
      trials.filter { !$0.isInstalled }.map { "\($0.subject)@\($0.regime) on base \($0.seed)" })
  }

  private static func unique(_ names: [String]) -> [String] {
    names.reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
  }

  /// The mean score of a question for one method on one organism, over bases.
  package func score(
    _ question: Question, method: String, access: AccessLevel, organism: String
  ) -> Double? {
    let values = trials.filter {
      $0.method == method && $0.access == access && "\($0.subject)@\($0.regime)" == organism
    }.compactMap { $0.score(question)?.value }
    return values.isEmpty ? nil : values.mean
  }
}
