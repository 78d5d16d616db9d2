package import Bench
package import Diffing
internal import Scoring
internal import Tensors

/// Runs of a tier against what was blessed of it: which figures fell by more than noise, and which were not measured.
package struct Gate: Sendable {
  /// What became of a figure.
  package enum Verdict: String, Codable, CaseIterable, Sendable {
    /// It is where it was, or no further below than noise and its margin.
    case held
    /// It is lower.
    case fell
    /// The question is not answered any more.
    case silent
    /// It is higher: no fault, but what it falls to later is seen only once it is blessed.
    case rose
    /// No run has it, or one lacks it.
    case notMeasured = "not-measured"
  }

  /// One figure.
  package struct Check: Sendable {
    package let row: MethodAtAccess
    /// Nil for the method's figure over all plants.
    package let cell: Cell?
    package let question: Question
    package let expected: Ledger.Expectation
    /// A mean over the runs that is below or above these moved.
    package let lowest, highest: Double
    /// Run by run, those that confirm last; nil where a run does not answer.
    package let values: [Double?]
    package let verdict: Verdict
    /// The share of the runs that would have held alone; nil if none has it.
    package let passShare: Double?
    /// Why it was not measured.
    package let reason: String?
    /// Whether it is low for a figure with noise between method seeds, so that more runs have to tell.
    package let isSuspect: Bool
    /// Whether noise is so large that the figure may go down to nothing, or to chance, and is not seen to fall.
    package let isBlind: Bool

    /// The mean over the runs that answer.
    package var value: Double? {
      let answered = values.compactMap(\.self)
      return answered.isEmpty ? nil : answered.mean
    }

    package var isRegression: Bool { verdict == .fell || verdict == .silent }

    /// How far it lies below what was blessed, in units of what would have been noise.
    package var depth: Double {
      let room = max(expected.low - lowest, 1e-9)
      return (expected.low - (value ?? min(lowest, 0))) / room
    }

    package var name: String { "\(cell.map { "\($0)" } ?? "\(row)") \(question.rawValue)" }
  }

  /// What a gate looks at.
  package struct Scope: Sendable {
    /// Ids; all if empty.
    package let methods, organisms: Set<String>

    package init(methods: some Sequence<String> = [], organisms: some Sequence<String> = []) {
      self.methods = Set(methods)
      self.organisms = Set(organisms)
    }

    func holds(_ row: MethodAtAccess) -> Bool { methods.isEmpty || methods.contains(row.method) }
    func holds(_ pair: PairName) -> Bool {
      organisms.isEmpty || organisms.contains(pair.subject)
    }
    /// Whether figures over all plants are judged.
    package var isOfAllOrganisms: Bool { organisms.isEmpty }
  }

  /// Cells by name, then the methods' figures.
  package let checks: [Check]
  /// How many cells of the runs the ledger does not know.
  package let newCells: Int
  /// How many runs there are, each with another method seed, and how many more confirm what seemed to fall.
  package let runCount, confirmationCount: Int
  /// What could not be done, and what the runs lack.
  package let failures: [String]
  /// What the runs used, where nothing was blessed on it.
  package let unknownMachines: [Ledger.Machine]
  package let scope: Scope
  /// Whether a rise fails, too.
  package let isStrict: Bool

  /// - Parameters:
  ///   - ledger: What was blessed.
  ///   - trials: Those of the runs, told apart by their method seeds.
  ///   - confirmations: Further runs of cells that seemed to fall.
  ///   - scope: What was run on purpose.
  ///   - failures: What has no trial, and why.
  ///   - isStrict: Whether a rise fails, too.
  package init(
    _ ledger: Ledger, _ trials: [Trial], confirmations: [Trial] = [], scope: Scope = Scope(),
    failures: [String] = [], isStrict: Bool = false
  ) {
    let own = trials.filter { !$0.row.isDummy && scope.holds($0.row) }
    let runs = Self.runs(own, ledger), others = Self.runs(confirmations, ledger)
    let judge = GateJudge(ledger, runs, confirmations: others)
    let cells = ledger.cells.sorted { $0.key < $1.key }.flatMap { name, figures -> [Check] in
      guard let cell = Cell(name), scope.holds(cell.row), scope.holds(cell.pair) else { return [] }
      return judge.checks(cell, figures)
    }
    let methods = ledger.methods.sorted { $0.key < $1.key }.flatMap { name, figures -> [Check] in
      guard scope.isOfAllOrganisms, let row = MethodAtAccess(name), scope.holds(row) else {
        return []
      }
      return judge.checks(row, figures)
    }
    checks = cells + methods
    newCells = Self.newCells(own, ledger, scope)
    runCount = runs.count
    confirmationCount = others.count
    self.failures =
      failures + runs.flatMap { $0.lacks(ledger, scope) }
      + (checks.isEmpty ? ["the ledger has no figure of what was asked for"] : [])
    unknownMachines = Self.machines(own).filter { !ledger.machines.contains($0) }
    self.scope = scope
    self.isStrict = isStrict
  }

  /// Of nothing: why it could not even begin.
  package init(cannotMeasure reason: String) {
    checks = []
    newCells = 0
    runCount = 0
    confirmationCount = 0
    failures = [reason]
    unknownMachines = []
    scope = Scope()
    isStrict = false
  }

  private static func runs(_ trials: [Trial], _ ledger: Ledger) -> [GateRun] {
    Dictionary(grouping: trials, by: \.seeds.method).sorted { $0.key < $1.key }
      .map { GateRun($0.value, ledger) }
  }

  private static func newCells(_ trials: [Trial], _ ledger: Ledger, _ scope: Scope) -> Int {
    let answering = trials.filter { trial in
      !trial.isNull && scope.holds(trial.pair) && trial.scores.values.contains { $0.value != nil }
    }
    return Set(answering.map { "\($0.cell.withoutMethodSeed)" }).subtracting(ledger.cells.keys)
      .count
  }

  private static func machines(_ trials: [Trial]) -> [Ledger.Machine] {
    trials.map { Ledger.Machine($0) }.reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
  }

  /// Figures that fell or are silent, the deepest first.
  package var regressions: [Check] {
    checks.filter(\.isRegression).sorted { ($1.depth, $0.name) < ($0.depth, $1.name) }
  }

  package func checks(_ verdict: Verdict) -> [Check] { checks.filter { $0.verdict == verdict } }

  /// Figures that are low where noise may be the reason: they are run again.
  ///
  /// Noise has longer tails than the normal distribution, where scores jump; and one run sees large falls only.
  package var suspects: [Check] { checks.filter(\.isSuspect) }

  /// What a gate ends with.
  package enum Outcome: String, CaseIterable, Sendable {
    case pass, regression, rise
    case notMeasured = "not-measured"

    package var exitCode: Int32 {
      switch self {
      case .pass: 0
      case .regression, .rise: 1
      case .notMeasured: 3
      }
    }
  }

  /// A regression if there is one; a pass only if everything was measured, and something was.
  package var outcome: Outcome {
    if checks.contains(where: \.isRegression) { return .regression }
    let isWhole =
      !checks.isEmpty && failures.isEmpty && !checks.contains { $0.verdict == .notMeasured }
    guard isWhole else { return .notMeasured }
    return isStrict && !checks(.rose).isEmpty ? .rise : .pass
  }
}
