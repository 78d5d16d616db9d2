package import Bench
package import Diffing
package import Scoring
internal import Tensors

/// One method at one level of access over all its trials.
package struct MethodSummary: Sendable {
  package let row: MethodAtAccess
  /// *Whether*, calibrated base by base and then averaged; nil if the method does not say.
  package let whether: WhetherSummary?
  /// Each question's mean score on each base (on each set of seeds, if plantings were repeated), in the order of
  /// the seeds; *whether* by its AUROC against own null pairs.
  package let byBase: [Question: [Double]]
  private let trials: [Trial]

  package struct WhetherSummary: Sendable {
    /// Against the null pairs of all plants of the same standard regime.
    package let area: Double
    package let narrowArea: Double?
    package let novelArea: Double?
    /// Against the plant's own null pairs alone.
    package let ownArea: Double?
    package let recall: Double?
    package let invariantFalseAlarms: Double?
    package let promptedFalseAlarms: Double?
  }

  init(_ row: MethodAtAccess, trials: [Trial]) {
    self.row = row
    self.trials = trials
    let bases = Self.byBase(trials)
    whether = trials.first?.answersWhether == true ? Self.whether(bases) : nil
    byBase = Question.allCases.reduce(into: [:]) { result, question in
      let values = bases.compactMap { own -> Double? in
        guard question != .whether else {
          return own.first?.answersWhether == true ? Self.mean(own, OwnNulls(own).area) : nil
        }
        return Self.mean(Self.installed(own)) { $0.score(question)?.counted }
      }
      let isAnswered = trials.contains { $0.score(question)?.value != nil }
      if !values.isEmpty, question == .whether || isAnswered { result[question] = values }
    }
  }

  /// The mean over families of plants of each family's mean: a family with many organisms counts as one.
  ///
  /// - Returns: Nil if no trial has a value.
  static func mean(_ trials: [Trial], _ value: (Trial) -> Double?) -> Double? {
    let families = Dictionary(grouping: trials, by: \.family).sorted { $0.key < $1.key }
      .map { $0.value.compactMap(value) }.filter { !$0.isEmpty }
    return families.isEmpty ? nil : families.map(\.mean).mean
  }

  private static func installed(_ trials: [Trial]) -> [Trial] {
    trials.filter { !$0.isNull && $0.isInstalled }
  }

  private var installed: [Trial] { Self.installed(trials) }

  /// The mean score of a question over all trials that it was asked in, chance where the method is silent; nil
  /// if it never answers.
  package func mean(_ question: Question) -> Double? {
    guard answered(question).count > 0 else { return nil }
    return Self.mean(installed) { $0.score(question)?.counted }
  }

  /// The mean score over the trials that are answered alone.
  package func meanOfAnswers(_ question: Question) -> Double? {
    Self.mean(installed) { $0.score(question)?.value }
  }

  /// The mean of a figure beside a question's score, over the trials that have it; nil if the method never
  /// answers.
  package func mean(_ figure: Figure, of question: Question) -> Double? {
    guard answered(question).count > 0 else { return nil }
    return Self.mean(installed) { $0.score(question)?.figures[figure] }
  }

  /// In how many trials of installed plants a question is answered, and in how many it was asked.
  package func answered(_ question: Question) -> (count: Int, all: Int) {
    let asked = installed.compactMap { $0.score(question) }.filter(\.isAsked)
    return (asked.filter { $0.value != nil }.count, asked.count)
  }

  /// The share of the asked trials that a question is answered in; nil if the method never answers.
  package func coverage(_ question: Question) -> Double? {
    let (count, all) = answered(question)
    return count > 0 ? Double(count) / Double(all) : nil
  }

  /// The trials whose cost is a method's: of ghosts and prompted pairs, which are apart, none.
  private var charged: [Trial] { trials.filter { ![.ghost, .prompted].contains($0.role) } }

  /// Mean seconds a trial.
  package var seconds: Double { charged.map(\.cost.seconds).mean }

  /// Mean tokens a trial: read or written by the models, and differentiated.
  package var tokens: (forward: Double, backward: Double) {
    (
      charged.map { Double($0.cost.tokensForward) }.mean,
      charged.map { Double($0.cost.tokensBackward) }.mean
    )
  }

  // MARK: Whether

  private static func byBase(_ trials: [Trial]) -> [[Trial]] {
    // A planting and a method's draws that were repeated are calibrated apart, as bases are.
    Dictionary(grouping: trials, by: \.seeds)
      .sorted { $0.key.order < $1.key.order }.map(\.value)
  }

  /// The calibrations of one base, regime by regime.
  private static func calibrations(_ trials: [Trial]) -> [Calibration] {
    Calibration.byRegime(observations(trials))
  }

  /// What counts of one base: a plant that is not installed takes the null pairs that are matched with it
  /// along.
  private static func observations(_ trials: [Trial]) -> [Calibration.Observation] {
    let missing = Set(trials.filter { !$0.isInstalled }.map(\.pair))
    return trials.filter { trial in
      trial.isInstalled && trial.match.map { !missing.contains($0) } ?? true
    }.map {
      Calibration.Observation(regime: $0.standard, magnitude: $0.magnitude, role: $0.role)
    }
  }

  private static func whether(_ bases: [[Trial]]) -> WhetherSummary? {
    let calibrations = bases.flatMap { Self.calibrations($0) }
    guard let area = Calibration.mean(calibrations, \.area) else { return nil }
    return WhetherSummary(
      area: area, narrowArea: Calibration.mean(calibrations, \.narrowArea),
      novelArea: Calibration.mean(calibrations, \.novelArea),
      ownArea: mean(bases.flatMap { $0 }, OwnNulls(bases.flatMap { $0 }).area),
      recall: Calibration.mean(calibrations, \.recall),
      invariantFalseAlarms: Calibration.mean(calibrations, \.invariantFalseAlarms),
      promptedFalseAlarms: Calibration.mean(calibrations, \.promptedFalseAlarms))
  }
}

extension TrialSeeds {
  fileprivate var order: [UInt64] { [base, planting, method] }
}

extension [UInt64] {
  fileprivate static func < (a: [UInt64], b: [UInt64]) -> Bool { a.lexicographicallyPrecedes(b) }
}

/// The results of a run, method by method.
package struct BenchSummary: Sendable {
  package let methods: [MethodSummary]
  private let dummies: [MethodSummary]
  package let trials: [Trial]
  /// Organisms with their regimes, in the order of the trials.
  package let plants: [PairName]
  /// Null pairs, whatever their base.
  package let nulls: [PairName]
  package let bases: [UInt64]
  /// Plants that did not certify, with the seeds and the reasons.
  package let notInstalled: [String]
  private let cells: [Key: [Trial]]

  private struct Key: Hashable {
    let row: MethodAtAccess
    let pair: PairName
  }

  package init(_ trials: [Trial]) {
    self.trials = trials
    let groups = Dictionary(grouping: trials, by: \.row)
    let rows = Self.unique(trials.map(\.row))
    let all = AccessLevel.allCases.flatMap { level in
      rows.filter { $0.access == level }.map { MethodSummary($0, trials: groups[$0] ?? []) }
    }
    methods = all.filter { !$0.row.isDummy }
    dummies = all.filter(\.row.isDummy)
    cells = Dictionary(grouping: trials) { Key(row: $0.row, pair: $0.pair) }
    plants = Self.unique(trials.filter { !$0.isNull }.map(\.pair))
    nulls = Self.unique(trials.filter { $0.isNull && $0.role != .ghost }.map(\.pair))
    bases = Self.unique(trials.map(\.seeds.base))
    notInstalled = Self.unique(
      trials.filter { !$0.isInstalled && !$0.isNull }.map {
        "\($0.pair) on \($0.seeds): \($0.failures.joined(separator: "; "))"
      })
  }

  /// Every item at its first place.
  private static func unique<Item: Hashable>(_ items: [Item]) -> [Item] {
    var seen: Set<Item> = []
    return items.filter { seen.insert($0).inserted }
  }

  /// The methods of a level of access.
  package func methods(at access: AccessLevel) -> [MethodSummary] {
    methods.filter { $0.row.access == access }
  }

  /// The dummies that stand in the table of a level of access: those of the level, and those that look at no
  /// text, which were run once.
  package func dummies(at access: AccessLevel) -> [MethodSummary] {
    let looking = Set(dummies.filter { $0.row.access != .pool }.map(\.row.method))
    return dummies.filter { $0.row.access == access || !looking.contains($0.row.method) }
  }

  /// The scores of a question for one method on one organism, base by base; chance where it is silent.
  package func scores(_ question: Question, _ row: MethodAtAccess, on plant: PairName) -> [Double] {
    (cells[Key(row: row, pair: plant)] ?? []).filter(\.isInstalled)
      .compactMap { $0.score(question)?.counted }
  }
}
