internal import Tensors
package import Diffing
package import Scoring

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
  /// Mean recall of what the plants are about, beside the planted words.
  package let topicRecall: Double?
  /// Mean seconds a trial.
  package let seconds: Double

  /// Each question's mean score on each base, in the order of the seeds; *whether* by its AUROC.
  package let byBase: [Question: [Double]]
  /// Mean tokens a trial: read or written by the models, and differentiated.
  package let tokens: (forward: Double, backward: Double)

  package struct WhetherSummary: Sendable {
    package let area: Double
    package let narrowArea: Double?
    package let recall: Double?
    package let falsePositives: FalsePositives
    package let invariantFalseAlarms: Double?
  }

  init(method: String, access: AccessLevel, trials: [Trial]) {
    self.method = method
    self.access = access
    let planted = trials.filter { !$0.isNull && $0.isInstalled }
    let answersWhether = trials.first?.answersWhether == true
    whether = answersWhether ? Self.whether(trials) : nil
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
    let topics = planted.compactMap { $0.score(.what)?.details["topicRecall"] }
    topicRecall = topics.isEmpty ? nil : topics.mean
    seconds = trials.map(\.cost.seconds).mean
    tokens = (
      trials.map { Double($0.cost.tokensForward) }.mean,
      trials.map { Double($0.cost.tokensBackward) }.mean
    )
    byBase = Self.byBase(trials, answersWhether: answersWhether)
  }

  private static func byBase(_ trials: [Trial], answersWhether: Bool) -> [Question: [Double]] {
    let bases = Dictionary(grouping: trials, by: \.seed).sorted { $0.key < $1.key }.map(\.value)
    return Question.allCases.reduce(into: [:]) { result, question in
      let values = bases.compactMap { own -> Double? in
        if question == .whether {
          return answersWhether ? Calibration.mean(calibrations(own), \.area) : nil
        }
        let scores = own.filter { !$0.isNull && $0.isInstalled }
          .compactMap { $0.score(question)?.value }
        return scores.isEmpty ? nil : scores.mean
      }
      if !values.isEmpty { result[question] = values }
    }
  }

  /// The calibrations of one base, regime by regime.
  private static func calibrations(_ trials: [Trial]) -> [Calibration] {
    Calibration.byRegime(observations(trials))
  }

  /// What counts of one base: a plant that is not installed takes the null pairs that are matched with it
  /// along.
  private static func observations(_ trials: [Trial]) -> [Calibration.Observation] {
    let missing = Set(trials.filter { !$0.isInstalled }.map { "\($0.subject)@\($0.regime)" })
    return trials.filter { $0.isInstalled && !missing.contains($0.match ?? "") }.map {
      Calibration.Observation(regime: $0.recipe, magnitude: $0.magnitude, role: $0.role)
    }
  }

  private static func whether(_ trials: [Trial]) -> WhetherSummary? {
    let bases = Dictionary(grouping: trials, by: \.seed).sorted { $0.key < $1.key }.map(\.value)
    let calibrations = bases.flatMap { Self.calibrations($0) }
    guard let area = Calibration.mean(calibrations, \.area) else { return nil }
    return WhetherSummary(
      area: area, narrowArea: Calibration.mean(calibrations, \.narrowArea),
      recall: Calibration.mean(calibrations, \.recall),
      falsePositives: FalsePositives(bases.map(observations)),
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
  private let cells: [String: [Trial]]

  package init(_ trials: [Trial]) {
    self.trials = trials
    let order = Self.unique(trials.map { "\($0.method)@\($0.access.rawValue)" })
    let byMethod = Dictionary(grouping: trials) { "\($0.method)@\($0.access.rawValue)" }
    let groups = order.compactMap { byMethod[$0] }
    methods = AccessLevel.allCases.flatMap { level in
      groups.filter { $0[0].access == level }.map {
        MethodSummary(method: $0[0].method, access: level, trials: $0)
      }
    }
    cells = Dictionary(grouping: trials) {
      "\($0.method)@\($0.access.rawValue) \($0.subject)@\($0.regime)"
    }
    organisms = Self.unique(trials.filter { !$0.isNull }.map { "\($0.subject)@\($0.regime)" })
    notInstalled = Self.unique(
      trials.filter { !$0.isInstalled }.map { "\($0.subject)@\($0.regime) on base \($0.seed)" })
  }

  private static func unique(_ names: [String]) -> [String] {
    var seen: Set<String> = []
    return names.filter { seen.insert($0).inserted }
  }

  /// The scores of a question for one method on one organism, base by base.
  package func scores(
    _ question: Question, method: String, access: AccessLevel, organism: String
  ) -> [Double] {
    (cells["\(method)@\(access.rawValue) \(organism)"] ?? []).compactMap {
      $0.score(question)?.value
    }
  }
}
