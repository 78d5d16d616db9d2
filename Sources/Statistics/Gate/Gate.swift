package import Bench
package import Diffing
internal import Scoring

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
    /// No run has it.
    case notMeasured = "not-measured"
  }

  /// One figure.
  package struct Check: Sendable {
    package let row: MethodAtAccess
    /// Nil for the method's figure over all plants.
    package let cell: Cell?
    package let question: Question
    package let expected: Ledger.Expectation
    /// A figure below or above these moved.
    package let lowest, highest: Double
    /// Run by run; nil where a run does not answer.
    package let values: [Double?]
    package let verdict: Verdict
    /// The share of the runs that it held in; nil if none has it.
    package let passShare: Double?
    /// Why it was not measured.
    package let reason: String?

    /// The mean over the runs that answer.
    package var value: Double? {
      let answered = values.compactMap(\.self)
      return answered.isEmpty ? nil : answered.reduce(0, +) / Double(answered.count)
    }

    package var isRegression: Bool { verdict == .fell || verdict == .silent }

    /// How far it lies below what was blessed, in units of what would have been noise.
    package var depth: Double {
      let room = max(expected.low - lowest, 1e-9)
      return (expected.low - (value ?? min(lowest, 0))) / room
    }

    package var name: String { "\(cell.map { "\($0)" } ?? "\(row)") \(question.rawValue)" }
  }

  /// Cells by name, then the methods' figures.
  package let checks: [Check]
  /// How many cells of the runs the ledger does not know.
  package let newCells: Int
  /// How many runs there are, each with another method seed.
  package let runCount: Int
  /// What could not be done, as the runs report it.
  package let failures: [String]
  /// What the runs used, where nothing was blessed on it.
  package let unknownMachine: Ledger.Machine?

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
    var isOfAllOrganisms: Bool { organisms.isEmpty }
  }

  /// - Parameters:
  ///   - ledger: What was blessed.
  ///   - trials: Those of the runs, told apart by their method seeds.
  ///   - scope: What was run on purpose.
  ///   - failures: What has no trial, and why.
  package init(
    _ ledger: Ledger, _ trials: [Trial], scope: Scope = Scope(), failures: [String] = []
  ) {
    let runs = Dictionary(grouping: trials.filter { !$0.row.isDummy }, by: \.seeds.method)
      .sorted { $0.key < $1.key }.map { GateRun($0.value, ledger) }
    let judge = GateJudge(ledger, runs)
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
    let known = Set(ledger.cells.keys)
    newCells =
      Set(
        trials.filter {
          !$0.isNull && !$0.row.isDummy && $0.scores.values.contains { $0.value != nil }
        }
        .map { "\($0.cell.withoutMethodSeed)" }
      ).subtracting(known).count
    runCount = runs.count
    self.failures = failures
    let machine = trials.first.map {
      Ledger.Machine(openBLASCore: $0.versions.openBLASCore, kernels: $0.versions.kernels)
    }
    unknownMachine = machine.flatMap { ledger.machines.contains($0) ? nil : $0 }
  }

  /// Figures that fell or are silent, the deepest first.
  package var regressions: [Check] {
    checks.filter(\.isRegression).sorted { ($1.depth, $0.name) < ($0.depth, $1.name) }
  }

  package func checks(_ verdict: Verdict) -> [Check] { checks.filter { $0.verdict == verdict } }

  /// What a gate ends with.
  package enum Outcome: Int32, Sendable {
    case pass = 0
    case regression = 1
    case notMeasured = 3
  }

  /// A regression if there is one; a pass only if everything was measured, and something was.
  package var outcome: Outcome {
    if checks.contains(where: \.isRegression) { return .regression }
    let isWhole =
      !checks.isEmpty && failures.isEmpty && !checks.contains { $0.verdict == .notMeasured }
    return isWhole ? .pass : .notMeasured
  }
}

/// The trials of one method seed.
struct GateRun {
  private let trials: [String: Trial]
  private let methods: [String: [Question: Double]]

  /// - Parameter ledger: Organisms that it does not know count in no mean.
  init(_ trials: [Trial], _ ledger: Ledger) {
    self.trials = Dictionary(
      trials.filter { !$0.isNull }.map { ("\($0.cell.withoutMethodSeed)", $0) }
    ) { first, _ in first }
    methods = Dictionary(
      BenchSummary(ledger.known(trials)).methods.map { ("\($0.row)", Ledger.figures($0)) }
    ) { first, _ in first }
  }

  func trial(_ cell: Cell) -> Trial? { trials["\(cell)"] }
  func figure(_ row: MethodAtAccess, _ question: Question) -> Double? {
    methods["\(row)"]?[question]
  }
}

/// Judges figures of some runs.
struct GateJudge {
  private let runs: [GateRun]
  private let noise: GateNoise
  /// The cells of each method that were blessed.
  private let cells: [MethodAtAccess: [Cell]]

  init(_ ledger: Ledger, _ runs: [GateRun]) {
    self.runs = runs
    noise = GateNoise(ledger)
    cells = Dictionary(grouping: ledger.cells.keys.compactMap { Cell($0) }, by: \.row)
  }

  /// What a run says of a figure.
  private enum Reading {
    case value(Double)
    case silent
    case missing(String)
  }

  func checks(_ cell: Cell, _ figures: Ledger.Figures) -> [Gate.Check] {
    figures.sorted { $0.key < $1.key }.compactMap { name, expected in
      Question(rawValue: name).map { question in
        let room =
          (Ledger.margins[question] ?? 0) + noise.allowance(expected, cell.row, question)
        return check(
          cell.row, cell, question, expected, room: room,
          runs.map { reading($0, cell, question, expected) })
      }
    }
  }

  private func reading(
    _ run: GateRun, _ cell: Cell, _ question: Question, _ expected: Ledger.Expectation
  ) -> Reading {
    guard let trial = run.trial(cell) else { return .missing("it was not run") }
    guard trial.isInstalled else {
      return .missing("the plant is not installed: \(trial.failures.joined(separator: "; "))")
    }
    let score = trial.score(question)
    // Where some seed was silent when it was blessed, silence is no news: it counts as chance, as it did then.
    let value = expected.isOftenSilent == true ? score?.counted : score?.value
    return value.map(Reading.value) ?? .silent
  }

  func checks(_ row: MethodAtAccess, _ figures: Ledger.Figures) -> [Gate.Check] {
    figures.sorted { $0.key < $1.key }.compactMap { name, expected in
      Question(rawValue: name).map { question in
        let margin = question == .whether ? Ledger.margins[question] ?? 0 : Ledger.meanMargin
        return check(
          row, nil, question, expected,
          room: margin + noise.allowance(ofMean: expected, row, question),
          runs.map { reading($0, row, question) })
      }
    }
  }

  /// Over other plants than the blessed ones a mean says nothing.
  private func reading(_ run: GateRun, _ row: MethodAtAccess, _ question: Question) -> Reading {
    let all = cells[row] ?? []
    let measured = all.filter { run.trial($0)?.isInstalled == true }.count
    guard measured == all.count, measured > 0 else {
      return .missing("\(measured) of its \(all.count) blessed plants were measured")
    }
    return run.figure(row, question).map(Reading.value) ?? .silent
  }

  private func check(
    _ row: MethodAtAccess, _ cell: Cell?, _ question: Question, _ expected: Ledger.Expectation,
    room: Double, _ readings: [Reading]
  ) -> Gate.Check {
    // Blessed figures are rounded to thousandths.
    let lowest = expected.low - room - 0.0005, highest = expected.high + room + 0.0005
    let verdicts = readings.map { reading -> Gate.Verdict in
      switch reading {
      case .value(let value): value < lowest ? .fell : value > highest ? .rose : .held
      case .silent: .silent
      case .missing: .notMeasured
      }
    }
    let passes = verdicts.filter { $0 == .held || $0 == .rose }.count
    return Gate.Check(
      row: row, cell: cell, question: question, expected: expected, lowest: lowest,
      highest: highest,
      values: readings.map { if case .value(let value) = $0 { value } else { nil } },
      verdict: Self.joined(verdicts),
      passShare: verdicts.isEmpty ? nil : Double(passes) / Double(verdicts.count),
      reason: readings.lazy.compactMap { if case .missing(let reason) = $0 { reason } else { nil } }
        .first ?? (readings.isEmpty ? "nothing was run" : nil))
  }

  /// Of several runs: not measured if one lacks it, else what most of them say, and of two halves the worse.
  private static func joined(_ verdicts: [Gate.Verdict]) -> Gate.Verdict {
    guard !verdicts.isEmpty, !verdicts.contains(.notMeasured) else { return .notMeasured }
    func count(_ verdict: Gate.Verdict) -> Int { verdicts.filter { $0 == verdict }.count }
    let bad = count(.fell) + count(.silent)
    if 2 * bad >= verdicts.count { return count(.silent) > count(.fell) ? .silent : .fell }
    return 2 * count(.rose) > verdicts.count ? .rose : .held
  }
}
