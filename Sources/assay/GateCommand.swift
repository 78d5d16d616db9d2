import ArgumentParser
import Bench
import Diffing
import Foundation
import JSON
import Methods
import Organisms
import Reporting
import Statistics

struct GateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "gate",
    abstract: "Runs what was blessed again, and fails if a score fell by more than noise.",
    discussion: """
      Exit codes: 0 if every blessed figure was measured and none fell; 1 if one fell, or a question is not answered \
      any more; 2 for a mistake in the command or in a file of Organisms/; 3 if something could not be measured, and \
      whenever nothing was. A figure that is low where methods draw is run again with eight more method seeds, and the \
      mean over all runs decides; trials that are given are judged as they are. It writes gate.md, gate.json, gate.csv, \
      gate.xml (JUnit) and gate.jsonl (the trials). Where GITHUB_STEP_SUMMARY names a file the page is added to it, and \
      under GITHUB_ACTIONS the worst figures become annotations.
      """)

  @OptionGroup var options: ProjectOptions

  @Option(help: "The ledger; Fixtures/ledger.json of the checkout if not given.")
  var against: String?

  @Option(
    name: .customLong("repeat"),
    help: "Runs, each with a method seed of its own; the mean over them is judged.")
  var repeats = 1

  @Option(name: .customLong("method-seed"), help: "The first run's method seed.")
  var firstSeed: UInt64 = 0

  @Option(name: .customLong("method"), help: "Only this method; may be repeated.")
  var methods: [String] = []

  @Option(name: .customLong("organism"), help: "Only this organism; may be repeated.")
  var organisms: [String] = []

  @Option(help: "A run's trials, judged instead of running anything; may be repeated.")
  var trials: [String] = []

  @Option(help: "The folder that the results are written to; Reports/local if not given.")
  var out: String?

  @Option(help: "A file to write SARIF to, for code scanning.")
  var sarif: String?

  @Flag(help: "Fails on figures that rose, too: the ledger is to be blessed with them.")
  var strict = false

  /// Runs of what seemed to fall, by methods that draw.
  private static let confirmations = 8

  func validate() throws {
    guard (1...1000).contains(repeats) else {
      throw ValidationError("--repeat should be from 1 to 1000.")
    }
    guard sarif != "" else { throw ValidationError("--sarif names no file.") }
    guard trials.isEmpty || (repeats == 1 && firstSeed == 0) else {
      throw ValidationError(
        "--trials are judged as they are; leave out --repeat and --method-seed.")
    }
  }

  func run() throws {
    let writer = try GateWriter(
      options.project, out: out, sarif: sarif, inputs: trials + [against].compactMap { $0 })
    try options.requireLedgersOrganisms()
    _ = try Methods.chosen(methods)
    do {
      let (gate, trials) = try judged()
      try writer.write(gate, trials)
      guard gate.outcome == .pass else { throw ExitCode(gate.outcome.exitCode) }
    } catch let error as CannotMeasure {
      let gate = Gate(cannotMeasure: error.description)
      try writer.write(gate, [])
      throw ExitCode(gate.outcome.exitCode)
    }
  }

  private func judged() throws -> (Gate, [Trial]) {
    let ledger = try ledger()
    try checkScope(ledger)
    // Trials that are given need no library.
    let bench = trials.isEmpty ? GateBench(ledger, try options.workshop(), options.workers) : nil
    let (trials, failures) =
      try bench?.run(repeats, from: firstSeed, methods: methods, organisms: organisms)
      ?? (try read(), [])
    func gate(_ confirmations: [Trial], _ others: [String]) -> Gate {
      Gate(
        ledger, trials, confirmations: confirmations,
        scope: Gate.Scope(methods: methods, organisms: organisms), failures: failures + others,
        isStrict: strict)
    }
    let first = gate([], [])
    guard let bench, !first.suspects.isEmpty else { return (first, trials) }
    let (more, lost) = try confirmed(first.suspects, bench)
    return (gate(more, lost), trials + more)
  }

  /// Suspects again, with method seeds that no run had: cells one by one, of a method's mean all pairs.
  private func confirmed(_ suspects: [Gate.Check], _ bench: GateBench) throws -> (
    [Trial], [String]
  ) {
    let groups = Dictionary(grouping: suspects, by: \.row.method).sorted { $0.key < $1.key }
    let runs = try groups.map { method, own in
      let isWhole = own.contains { $0.cell == nil }
      let plants = Set(own.compactMap { $0.cell?.pair.subject }).sorted()
      return try bench.run(
        Self.confirmations, from: firstSeed &+ UInt64(repeats), methods: [method],
        organisms: isWhole ? organisms : plants)
    }
    let rows = Set(suspects.filter { $0.cell == nil }.map(\.row))
    let cells = Set(suspects.compactMap(\.cell))
    return (
      runs.flatMap(\.trials).filter {
        rows.contains($0.row) || cells.contains($0.cell.withoutMethodSeed)
      },
      runs.flatMap(\.failures)
    )
  }

  /// What was blessed; without it nothing can be judged.
  private func ledger() throws -> Ledger {
    let url = against.map { URL(filePath: $0) } ?? options.project.ledger
    do {
      if let ledger = try Ledger.read(url) { return ledger }
    } catch { throw CannotMeasure("\(error)") }
    throw CannotMeasure("\(url.path): there is no ledger; './assay bless' writes one.")
  }

  /// Whatever is named has to be there, and to stand in the ledger, or nothing of it is judged.
  private func checkScope(_ ledger: Ledger) throws {
    let known = Set(ledger.methods.keys.compactMap { MethodAtAccess($0)?.method })
    if !organisms.isEmpty {
      let library = try options.project.library()
      for organism in organisms { _ = try library.organism(organism) }
    }
    let plants = Set(ledger.plants.compactMap { $0.split(separator: "@").first.map(String.init) })
    for (names, all, kind) in [(methods, known, "method"), (organisms, plants, "organism")] {
      guard let stranger = names.first(where: { !all.contains($0) }) else { continue }
      let hint = nearest(to: stranger, among: all.sorted()).map { " Did you mean '\($0)'?" } ?? ""
      throw CannotMeasure("the ledger has nothing of the \(kind) '\(stranger)'.\(hint)")
    }
  }

  private func read() throws -> [Trial] {
    do {
      let all = try trials.flatMap { try TrialFile.read(URL(filePath: $0)) }
      var seen: Set<Cell> = []
      if let twice = all.first(where: { !seen.insert($0.cell).inserted }) {
        throw CannotMeasure("two of the runs have the trial '\(twice.cell)'.")
      }
      return all
    } catch let error as CannotMeasure {
      throw error
    } catch { throw CannotMeasure("\(error)") }
  }

}

/// Runs what was blessed again.
private struct GateBench {
  private let tier: Tier
  private let workshop: Workshop
  private let workers: WorkerPool?

  init(_ ledger: Ledger, _ workshop: Workshop, _ workers: WorkerPool?) {
    tier = ledger.tier
    self.workshop = workshop
    self.workers = workers
  }

  /// As many runs of the tier, the first of them with a method seed, the others with the next.
  func run(_ count: Int, from first: UInt64, methods: [String], organisms: [String]) throws
    -> (trials: [Trial], failures: [String])
  {
    let grid = try Grid(
      workshop.library, tier: tier, organisms: organisms, methods: methods,
      seeds: tier.seeds.flatMap { $0.repeated(count, from: first) },
      // Null pairs count in figures over all plants alone.
      nulls: organisms.isEmpty ? nil : Grid.NullChoice.none)
    do {
      return try GridRunner(
        workshop, grid, jobs: ProcessInfo.processInfo.activeProcessorCount, hasDummies: false,
        workers: workers
      ).run()
    } catch { throw CannotMeasure("\(error)") }
  }
}

/// Why there is nothing to judge.
private struct CannotMeasure: Error, CustomStringConvertible {
  let description: String
  init(_ reason: String) {
    description = reason.hasSuffix(".") ? String(reason.dropLast()) : reason
  }
}
