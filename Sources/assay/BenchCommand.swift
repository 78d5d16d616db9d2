import Statistics
import Diffing
import ArgumentParser
import Bench
import Files
import Foundation
import JSON
import Reporting
import Worlds

struct BenchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench",
    abstract: "Plants organisms, runs every method on each pair, scores them, writes a report.",
    discussion: """
      Evidence is kept in .assay/evidence, so only what is new is measured. The exit code is 1 if more than \
      one plant in twenty is not installed, a base lacks a skill or a method gives no answer: then the report says \
      which, and with what figures.
      """)

  @OptionGroup var options: ProjectOptions
  @OptionGroup var cells: GridOptions

  @Option(help: "Pairs worked on at once.")
  var jobs = max(1, ProcessInfo.processInfo.activeProcessorCount)

  @Option(help: "The folder that reports are written to; Reports/local if not given.")
  var out: String?

  @Flag(
    name: .customLong("in-process"),
    help:
      "Runs methods in this process, where a debugger sees them, and where nothing walls them in.")
  var isInProcess = false

  func validate() throws {
    guard jobs > 0 else { throw ValidationError("--jobs should be at least 1.") }
  }

  func run() throws {
    let options = options.of(cells.tier), workshop = try options.workshop()
    let writer = try RunWriter(workshop.project, cells, out: out)
    let (trials, failures) = try GridRunner(
      workshop, try cells.grid(workshop.library), jobs: jobs,
      workers: isInProcess ? nil : options.workers, programs: cells.external.pool
    ).run()
    try writer.write(trials, failures: failures)
    if cells.tier == .smoke, !cells.isPart {
      Console.show("This was one base. './assay bench --tier standard' runs three.")
    }
    try writer.fail(
      over: trials, failures: failures,
      lacking: try workshop.missingSkills(cells.seeds.all(of: cells.tier)))
  }
}

struct ScoreCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "score",
    abstract: "Scores the evidence that is kept, and writes the report; no method is run.",
    discussion: """
      After a change of a scorer, a column or an answer key. Models are opened only for the effects of \
      interventions that were never measured. Cells without evidence are counted: 'assay bench' measures them.
      """)

  @OptionGroup var options: ProjectOptions
  @OptionGroup var cells: GridOptions

  @Option(help: "The folder that reports are written to; Reports/local if not given.")
  var out: String?

  func run() throws {
    let options = options.of(cells.tier), workshop = try options.workshop()
    let writer = try RunWriter(workshop.project, cells, out: out)
    let grid = try cells.grid(workshop.library)
    let runner = GridRunner(
      workshop, grid, jobs: ProcessInfo.processInfo.activeProcessorCount, extent: .scoring)
    let trials = try runner.run().trials
    let missing = grid.trialCount - trials.filter { !$0.row.isDummy }.count
    // What holds nothing replaces no report.
    if missing < grid.trialCount { try writer.write(trials, lacks: missing > 0) }
    if missing > 0 {
      Notice.standardError(
        "\(missing) of \(grid.trialCount) cells have no evidence; "
          + "'./assay bench --tier \(cells.tier.rawValue)\(options.suffix)', with the same options, measures them."
      )
      throw ExitCode(1)
    }
    try writer.fail(over: trials, failures: [], lacking: [])
  }
}

/// Runs a grid and shows how far it is.
struct GridRunner {
  let workshop: Workshop
  let grid: Grid
  let jobs: Int
  let extent: BenchRun.Extent
  let hasDummies: Bool
  let workers: WorkerPool?
  let programs: ProgramPool?

  init(
    _ workshop: Workshop, _ grid: Grid, jobs: Int, extent: BenchRun.Extent = .everything,
    hasDummies: Bool = true, workers: WorkerPool? = nil, programs: ProgramPool? = nil
  ) {
    self.workers = workers
    self.programs = programs
    self.hasDummies = hasDummies
    self.workshop = workshop
    self.grid = grid
    self.jobs = jobs
    self.extent = extent
  }

  /// The trials, and what has none.
  func run() throws -> (trials: [Trial], failures: [String]) {
    Interruption.handleKeeping()
    FreedMemory.keep()
    let status = BenchStatus(pairs: grid.pairCount)
    defer { status.finish() }
    let trials = try BenchRun(
      workshop, hasDummies: hasDummies, workers: workers, programs: programs
    ).run(
      grid, extent: extent, jobs: jobs, report: status.show)
    return (trials, status.failures)
  }
}

/// Writes what a run found.
struct RunWriter {
  private let cells: GridOptions
  private let size: BaseSize
  /// Whether only a part of the tier is asked for, or other organisms than the tier's.
  private let isPart: Bool
  private let folder: URL
  /// The folder, as the user may write it.
  private let place: String
  /// The stem of the report's files: no other run writes under it until this one ends.
  private let claim: ClaimedName
  private let orderings: PublishedOrderings?

  /// Checks, before any work is spent, that reports can be written.
  init(_ project: Project, _ cells: GridOptions, out: String?) throws {
    self.cells = cells
    size = project.size
    isPart = cells.isPart || project.draw != 0
    folder = out.map { URL(filePath: $0) } ?? project.localReports
    place = out ?? (project.isForeign ? folder.path : "Reports/local")
    claim = try ClaimedName(cells.stem(isPart: isPart, size), in: folder)
    orderings = try PublishedOrderings.read(project.orderings)
    try check(claim.name)
    try AtomicFile.checkPlace(project.cache.appending(path: "place"))
  }

  private func check(_ name: String) throws {
    try AtomicFile.check(folder.appending(path: "\(name).md"), replacing: BenchReport.start)
    try AtomicFile.check(folder.appending(path: "\(name).jsonl"), replacing: TrialFile.start)
  }

  /// Prints the tables and writes the report and the trials.
  ///
  /// - Parameters:
  ///   - isMissing: Whether trials are missing: then a whole report is not written over.
  ///   - failures: What has no trial, and why.
  func write(_ trials: [Trial], lacks isMissing: Bool = false, failures: [String] = []) throws {
    let isPart = isPart || isMissing || !failures.isEmpty
    let part = isPart ? "part of " : ""
    let report = BenchReport(
      trials, title: "Assay: \(part)the \(cells.tier.rawValue) tier", orderings: orderings,
      failures: failures)
    Console.show(report.terminal)
    let lines = try TrialFile.text(trials)
    // Of a whole tier that turned out a part, the whole report of before stays.
    let claim =
      isPart == self.isPart ? claim : try ClaimedName(cells.stem(isPart: isPart, size), in: folder)
    // Held until both files are written.
    defer { withExtendedLifetime(claim) {} }
    let name = claim.name
    try check(name)
    try AtomicFile.write(Data(lines.utf8), to: folder.appending(path: "\(name).jsonl"))
    try AtomicFile.write(Data(report.markdown.utf8), to: folder.appending(path: "\(name).md"))
    Console.show("\nWrote \(place)/\(name).md and \(place)/\(name).jsonl.")
  }

  /// The share of plants that has to be installed: words and places are drawn, and a few draws do not take.
  private static let leastInstalled = 0.95

  /// Ends with exit code 1 if too many plants are not installed, a base lacks a skill or something has no answer.
  ///
  /// Plants that were diluted or aged are meant to fail somewhere.
  func fail(over trials: [Trial], failures: [String], lacking skills: [String]) throws {
    for line in skills + failures.map({ "no answer: \($0)" }) { Notice.error(line) }
    let plants = trials.filter { !$0.isNull && $0.planting.dial == nil }
    let installed = plants.filter(\.isInstalled).count
    let isShort = Double(installed) < Self.leastInstalled * Double(plants.count)
    if installed < plants.count {
      let tell = isShort ? Notice.error : Notice.standardError
      tell("some plants are not installed: the report above says which, and with what figures")
    }
    if isShort || !skills.isEmpty || !failures.isEmpty { throw ExitCode(1) }
  }
}
