import ArgumentParser
import Bench
import Diffing
import Files
import Foundation
import JSON
import Reporting
import Statistics
import Worlds

struct GateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "gate",
    abstract: "Runs what was blessed again, and fails if a score fell by more than noise.",
    discussion: """
      Exit codes: 0 if every blessed figure was measured and held; 1 if one fell, or a question is not answered any \
      more; 2 for a mistake in the command or in a file of Organisms/; 3 if something could not be measured, and \
      whenever nothing was. It writes gate.md, gate.json, gate.csv, gate.xml (JUnit) and gate.jsonl (the trials). \
      Where GITHUB_STEP_SUMMARY names a file the page is added to it, and under GITHUB_ACTIONS the worst figures \
      become annotations.
      """)

  @OptionGroup var options: ProjectOptions

  @Option(help: "The ledger; Fixtures/ledger.json of the checkout if not given.")
  var against: String?

  @Option(
    name: .customLong("repeat"),
    help: "Runs, each with a method seed of its own; a figure falls if it does in half of them.")
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

  func validate() throws {
    guard (1...1000).contains(repeats) else {
      throw ValidationError("--repeat should be from 1 to 1000.")
    }
    guard trials.isEmpty || (repeats == 1 && firstSeed == 0) else {
      throw ValidationError(
        "--trials are judged as they are; leave out --repeat and --method-seed.")
    }
  }

  func run() throws {
    do {
      try judge()
    } catch let error as CannotMeasure {
      Notice.standardError("\(error)")
      throw ExitCode(Gate.Outcome.notMeasured.rawValue)
    }
  }

  private func judge() throws {
    let ledger = try ledger()
    let writer = try GateWriter(options.project, out: out, sarif: sarif)
    let (trials, failures) = try measured(ledger)
    let gate = Gate(
      ledger, trials, scope: Gate.Scope(methods: methods, organisms: organisms),
      failures: failures)
    try writer.write(gate, trials)
    if strict, gate.outcome == .pass, !gate.checks(.rose).isEmpty { throw ExitCode(1) }
    guard gate.outcome == .pass else { throw ExitCode(gate.outcome.rawValue) }
  }

  /// What was blessed; without it nothing can be judged.
  private func ledger() throws -> Ledger {
    let url = against.map { URL(filePath: $0) } ?? options.project.ledger
    do {
      if let ledger = try Ledger.read(url) { return ledger }
    } catch { throw CannotMeasure("\(error)") }
    throw CannotMeasure("\(url.path): there is no ledger; './assay bless' writes one.")
  }

  private func measured(_ ledger: Ledger) throws -> (trials: [Trial], failures: [String]) {
    guard trials.isEmpty else {
      do {
        return (try trials.flatMap { try TrialFile.read(URL(filePath: $0)) }, [])
      } catch { throw CannotMeasure("\(error)") }
    }
    let workshop = try options.workshop()
    let seeds = ledger.tier.seeds.flatMap { $0.repeated(repeats, from: firstSeed) }
    let grid = try Grid(
      workshop.library, tier: ledger.tier, organisms: organisms, methods: methods, seeds: seeds,
      // Null pairs count in figures over all plants alone.
      nulls: organisms.isEmpty ? nil : Grid.NullChoice.none)
    do {
      return try GridRunner(
        workshop, grid, jobs: ProcessInfo.processInfo.activeProcessorCount, hasDummies: false,
        workers: options.workers
      ).run()
    } catch { throw CannotMeasure("\(error)") }
  }
}

/// Why there is nothing to judge.
private struct CannotMeasure: Error, CustomStringConvertible {
  let description: String
  init(_ reason: String) { description = "cannot measure: \(reason)" }
}

/// Writes what a gate found, for people and for programs.
private struct GateWriter {
  private let folder: URL
  private let sarif: URL?
  /// The files' stem: no other run writes under it until this one ends.
  private let claim: ClaimedName

  /// Checks, before any work is spent, that the results can be written.
  init(_ project: Project, out: String?, sarif: String?) throws {
    folder = out.map { URL(filePath: $0) } ?? project.localReports
    self.sarif = sarif.map { URL(filePath: $0) }
    claim = try ClaimedName("gate", in: folder)
    try AtomicFile.checkPlace(folder.appending(path: "place"))
    if let sarif = self.sarif { try AtomicFile.checkPlace(sarif) }
  }

  func write(_ gate: Gate, _ trials: [Trial]) throws {
    defer { withExtendedLifetime(claim) {} }
    let text = GateText(gate), results = GateResults(gate)
    Console.show(text.terminal)
    let lines = try trials.map { try JSON.encode($0) + "\n" }.joined()
    try save(lines, "jsonl")
    try save(text.markdown, "md")
    try save(results.json, "json")
    try save(results.table.csv, "csv")
    try save(GateJUnit(gate).text, "xml")
    if let sarif { try AtomicFile.write(Data(GateSarif(gate).text.utf8), to: sarif) }
    try tellGitHub(gate, text)
  }

  private func save(_ text: String, _ ending: String) throws {
    try AtomicFile.write(
      Data(text.utf8), to: folder.appending(path: "\(claim.name).\(ending)"))
  }

  private func tellGitHub(_ gate: Gate, _ text: GateText) throws {
    let environment = ProcessInfo.processInfo.environment
    if environment["GITHUB_ACTIONS"] == "true" {
      GateAnnotations(gate).lines.forEach { Console.show($0) }
    }
    guard let path = environment["GITHUB_STEP_SUMMARY"], !path.isEmpty else { return }
    let url = URL(filePath: path)
    if !FileManager.default.fileExists(atPath: path) { try Data().write(to: url) }
    let handle = try FileHandle(forWritingTo: url)
    defer { try? handle.close() }
    try handle.seekToEnd()
    try handle.write(contentsOf: Data(text.summary.utf8))
  }
}
