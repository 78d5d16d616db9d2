package import Bench
package import Diffing
internal import Organisms
package import Scoring
internal import Tensors

/// One method at one level of access over all its trials.
package struct MethodSummary: Sendable {
  package let row: MethodAtAccess
  /// Its trials of plants that are installed.
  let installed: [Trial]
  /// What its magnitudes are calibrated on; empty if the method does not say *whether*.
  let calibrationGroups: [CalibrationGroup]
  private let calibrations: [Calibration]
  private let ownNulls: OwnNulls?
  private let trials: [Trial]

  init(_ row: MethodAtAccess, trials: [Trial]) {
    self.row = row
    self.trials = trials
    let answersWhether = trials.first?.answersWhether == true
    let nulls = answersWhether ? OwnNulls(trials) : nil
    ownNulls = nulls
    calibrationGroups = answersWhether ? CalibrationGroup.groups(trials) : []
    calibrations = calibrationGroups.map { Calibration($0) }
    installed = Self.installed(trials)
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

  // MARK: Readings, of which figures are means

  /// A number that is read off a trial; nil leaves the trial out.
  package typealias Reading = @Sendable (Trial) -> Double?

  /// The score of a question, chance where the method is silent; nil if it never answers.
  ///
  /// Of *whether* it is the AUROC of a planted pair against its own null pairs.
  package func reading(_ question: Question) -> Reading? {
    if question == .whether {
      guard let ownNulls else { return nil }
      return { ownNulls.area($0) }
    }
    guard answered(question).count > 0 else { return nil }
    return { $0.score(question)?.counted }
  }

  /// A figure beside a question's score; nil if the method never answers.
  package func reading(_ figure: Figure, of question: Question) -> Reading? {
    guard answered(question).count > 0 else { return nil }
    return { $0.score(question)?.figures[figure] }
  }

  /// The mean of a reading over the plants that are installed; nil if no trial has one.
  package func mean(_ reading: Reading?) -> Double? {
    reading.flatMap { Self.mean(installed, $0) }
  }

  /// The mean score of a question over all trials that it was asked in; nil if the method never answers.
  package func mean(_ question: Question) -> Double? { mean(reading(question)) }

  /// The mean score of a question over the plants of one regime, chance where it is silent.
  package func plantMean(_ question: Question, regime: String) -> PlantMean? {
    PlantMean(installed.filter { $0.pair.regime == regime }) { $0.score(question)?.counted }
  }

  /// A figure of the calibrations on null pairs, base by base and regime by regime; nil if the method does not
  /// say *whether*.
  package func calibrated(_ figure: (Calibration) -> Double?) -> Double? {
    Calibration.mean(calibrations, figure)
  }

  /// Whether it gives at least half of the plants a magnitude.
  var givesMagnitudes: Bool {
    2 * installed.filter { $0.magnitude != nil }.count >= installed.count
  }

  /// How many pairs of a kind it was run on.
  package func count(_ role: PairRole) -> Int { trials.filter { $0.role == role }.count }

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

  /// The trials whose cost is a method's: of ghosts and prompted pairs, which are apart, none, and of null pairs only
  /// those of methods that are run on them.
  private var charged: [Trial] {
    trials.filter {
      ![.ghost, .prompted].contains($0.role) && ($0.answersWhether || !$0.isNull)
    }
  }

  /// Mean seconds a trial.
  package var seconds: Double { charged.map(\.cost.seconds).mean }

  /// Mean tokens a trial: read or written by the models, and differentiated.
  package var tokens: (forward: Double, backward: Double) {
    (
      charged.map { Double($0.cost.tokensForward) }.mean,
      charged.map { Double($0.cost.tokensBackward) }.mean
    )
  }
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

  /// The plants of the development half, and what is of neither: what every table is about but that of the halves.
  package init(developmentOf trials: [Trial]) {
    self.init(trials.filter { $0.half != .heldOut })
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

  /// Something of every question at every level of access, made from the methods that answer it there.
  func byQuestionAndLevel<Row>(
    _ row: (_ question: Question, _ access: AccessLevel, _ methods: [MethodSummary]) -> Row?
  ) -> [Row] {
    Question.allCases.flatMap { question in
      AccessLevel.allCases.compactMap { access in
        row(question, access, methods(at: access).filter { $0.reading(question) != nil })
      }
    }
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
