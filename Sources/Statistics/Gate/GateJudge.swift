internal import Bench
internal import Diffing
internal import Scoring
internal import Tensors

/// The trials of one method seed.
struct GateRun {
  private let trials: [String: Trial]
  /// The pairs that each method was run on, but for plants that are not installed.
  private let pairs: [MethodAtAccess: Set<String>]
  private let methods: [String: [Question: Double]]
  private let seed: UInt64

  /// - Parameter ledger: Pairs that it does not know count in no mean.
  init(_ trials: [Trial], _ ledger: Ledger) {
    self.trials = Dictionary(
      trials.filter { !$0.isNull }.map { ("\($0.cell.withoutMethodSeed)", $0) }
    ) { first, _ in first }
    pairs = Dictionary(grouping: trials.filter { $0.isNull || $0.isInstalled }, by: \.row)
      .mapValues { Set($0.map(Ledger.name)) }
    methods = Dictionary(
      BenchSummary(ledger.known(trials)).methods.map { ("\($0.row)", Ledger.figures($0)) }
    ) { first, _ in first }
    seed = trials.first?.seeds.method ?? 0
  }

  func trial(_ cell: Cell) -> Trial? { trials["\(cell)"] }
  func figure(_ row: MethodAtAccess, _ question: Question) -> Double? {
    methods["\(row)"]?[question]
  }

  /// What of a ledger's pairs a method was not run on, or is not installed.
  func missing(_ row: MethodAtAccess, _ ledger: Ledger) -> [String] {
    let own = pairs[row] ?? []
    return (ledger.plants + ledger.nulls).filter { !own.contains($0) }
  }

  /// What a run lacks, method by method: null pairs too, although no figure is theirs alone.
  func lacks(_ ledger: Ledger, _ scope: Gate.Scope) -> [String] {
    ledger.methods.keys.sorted().compactMap { name in
      guard let row = MethodAtAccess(name), scope.holds(row) else { return nil }
      let lost = missing(row, ledger).filter { pair in
        scope.isOfAllOrganisms
          || (ledger.plants.contains(pair)
            && scope.organisms.contains { pair.hasPrefix("\($0)@") })
      }
      guard let first = lost.first else { return nil }
      let more = lost.count > 1 ? " and \(lost.count - 1) more pairs" : ""
      return "\(name), method seed \(seed): lacks \(first)\(more)"
    }
  }
}

/// Judges figures of some runs.
struct GateJudge {
  private let runs, confirmations: [GateRun]
  private let noise: GateNoise
  private let ledger: Ledger

  init(_ ledger: Ledger, _ runs: [GateRun], confirmations: [GateRun]) {
    self.runs = runs
    self.confirmations = confirmations
    self.ledger = ledger
    noise = GateNoise(ledger)
  }

  /// What a run says of a figure.
  private enum Reading {
    case value(Double)
    case silent
    case missing(String)
  }

  func checks(_ cell: Cell, _ figures: Ledger.Figures) -> [Gate.Check] {
    let all = runs + confirmations.filter { $0.trial(cell) != nil }
    return figures.sorted { $0.key < $1.key }.compactMap { name, expected in
      Question(rawValue: name).map { question in
        check(
          cell.row, cell, question, expected, margin: Ledger.margins[question] ?? 0,
          all.map { reading($0, cell, question, expected) }
        ) { noise.allowance(cell, question, runs: $0, $1) }
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
    let all = runs + confirmations.filter { $0.missing(row, ledger).isEmpty }
    return figures.sorted { $0.key < $1.key }.compactMap { name, expected in
      Question(rawValue: name).map { question in
        let margin = question == .whether ? Ledger.margins[question] ?? 0 : Ledger.meanMargin
        return check(
          row, nil, question, expected, margin: margin, all.map { reading($0, row, question) }
        ) { noise.allowance(ofMean: row, question, runs: $0, $1) }
      }
    }
  }

  /// Over other pairs than the blessed ones a mean says nothing.
  private func reading(_ run: GateRun, _ row: MethodAtAccess, _ question: Question) -> Reading {
    let missing = run.missing(row, ledger)
    guard missing.isEmpty else {
      return .missing(
        "\(missing.count) of its \(ledger.plants.count + ledger.nulls.count) pairs are not there")
    }
    return run.figure(row, question).map(Reading.value) ?? .silent
  }

  private func check(
    _ row: MethodAtAccess, _ cell: Cell?, _ question: Question, _ expected: Ledger.Expectation,
    margin: Double, _ readings: [Reading],
    _ allowance: (_ runs: Int, _ stage: GateNoise.Stage) -> Double
  ) -> Gate.Check {
    // Blessed figures are rounded to thousandths.
    let slack = margin + 0.0005, noise = allowance(readings.count, .decision)
    let lowest = expected.low - slack - noise, highest = expected.high + slack + noise
    let values = readings.map { if case .value(let value) = $0 { value } else { Double?.none } }
    let least = expected.low - slack - allowance(1, .decision)
    let suspicious = expected.low - slack - allowance(readings.count, .suspicion)
    // Of whether a half is chance, below which nothing is lost.
    let floor = question == .whether ? 0.5 : 0
    let passes = values.filter { ($0 ?? -.infinity) >= least }.count
    let reasons = readings.compactMap {
      if case .missing(let reason) = $0 { reason } else { String?.none }
    }
    let reason = reasons.first ?? (readings.isEmpty ? "nothing was run" : nil)
    return Gate.Check(
      row: row, cell: cell, question: question, expected: expected, lowest: lowest,
      highest: highest, values: values,
      verdict: reason == nil ? verdict(values, lowest, highest) : .notMeasured,
      passShare: readings.isEmpty ? nil : Double(passes) / Double(readings.count),
      reason: reason,
      isSuspect: noise > 0 && reason == nil
        && verdict(values, suspicious, .infinity) != .held,
      isBlind: lowest <= floor && expected.low - slack > floor)
  }

  /// Silent if half of the runs are, else where their mean is.
  private func verdict(_ values: [Double?], _ lowest: Double, _ highest: Double) -> Gate.Verdict {
    let answered = values.compactMap(\.self)
    guard 2 * answered.count > values.count else { return .silent }
    let mean = answered.mean
    return mean < lowest ? .fell : mean > highest ? .rose : .held
  }
}
