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
      Evidence is kept in .assay/evidence, so only what is new is measured. The exit code is 1 if a plant is not \
      installed or a base lacks a skill: then the report says which, and with what figures.
      """)

  @OptionGroup var options: ProjectOptions
  @OptionGroup var cells: GridOptions

  @Option(help: "Pairs worked on at once.")
  var jobs = max(1, ProcessInfo.processInfo.activeProcessorCount)

  @Option(help: "The folder that reports are written to; Reports/local if not given.")
  var out: String?

  func validate() throws {
    guard jobs > 0 else { throw ValidationError("--jobs should be at least 1.") }
  }

  func run() throws {
    let workshop = try options.workshop()
    let writer = try RunWriter(workshop.project, cells, out: out)
    let trials = try GridRunner(workshop, try cells.grid(workshop.library), jobs: jobs).run()
    try writer.write(trials)
    if cells.tier == .smoke, !cells.isPart {
      Console.show("This was one base. './assay bench --tier standard' runs three.")
    }
    try writer.fail(
      over: trials, lacking: try workshop.missingSkills(cells.seeds.all(of: cells.tier)))
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
    let workshop = try options.workshop()
    let writer = try RunWriter(workshop.project, cells, out: out)
    let grid = try cells.grid(workshop.library)
    let runner = GridRunner(
      workshop, grid, jobs: ProcessInfo.processInfo.activeProcessorCount, extent: .scoring)
    let trials = try runner.run()
    let missing = grid.trialCount - trials.count
    try writer.write(trials, isPart: missing > 0)
    if missing > 0 {
      Notice.standardError(
        "\(missing) of \(grid.trialCount) cells have no evidence; "
          + "'./assay bench --tier \(cells.tier.rawValue)\(options.suffix)' measures them.")
      throw ExitCode(1)
    }
    try writer.fail(over: trials, lacking: [])
  }
}

/// Runs a grid and shows how far it is.
struct GridRunner {
  let workshop: Workshop
  let grid: Grid
  let jobs: Int
  let extent: BenchRun.Extent

  init(_ workshop: Workshop, _ grid: Grid, jobs: Int, extent: BenchRun.Extent = .everything) {
    self.workshop = workshop
    self.grid = grid
    self.jobs = jobs
    self.extent = extent
  }

  func run() throws -> [Trial] {
    let status = BenchStatus(pairs: grid.subjects.count * grid.seeds.count)
    defer { status.finish() }
    return try BenchRun(workshop).run(grid, extent: extent, jobs: jobs, report: status.show)
  }
}

/// Writes what a run found.
struct RunWriter {
  private let cells: GridOptions
  private let folder: URL
  /// The folder, as the user may write it.
  private let place: String

  /// Checks, before any work is spent, that reports can be written.
  init(_ project: Project, _ cells: GridOptions, out: String?) throws {
    self.cells = cells
    folder = out.map { URL(filePath: $0) } ?? project.localReports
    place = out ?? (project.isForeign ? folder.path : "Reports/local")
    try AtomicFile.check(folder.appending(path: "\(name).md"), replacing: BenchReport.start)
    try AtomicFile.check(folder.appending(path: "\(name).jsonl"), replacing: Self.start)
    try AtomicFile.checkPlace(project.cache.appending(path: "place"))
  }

  /// What trials start with.
  private static let start = #"{"key":""#

  /// The stem of the report's files.
  private var name: String { name(isPart: cells.isPart) }

  private func name(isPart: Bool) -> String {
    isPart ? "\(cells.tier.rawValue)-part" : cells.tier.rawValue
  }

  /// Prints the tables and writes the report and the trials.
  ///
  /// - Parameter isPart: Whether trials are missing: then a whole report is not written over.
  func write(_ trials: [Trial], isPart: Bool = false) throws {
    let isPart = isPart || cells.isPart
    let part = isPart ? "part of " : ""
    let report = BenchReport(trials, title: "Assay: \(part)the \(cells.tier.rawValue) tier")
    Console.show(report.terminal)
    let lines = try trials.map { try JSON.encode($0) + "\n" }.joined()
    let name = name(isPart: isPart)
    try AtomicFile.write(Data(lines.utf8), to: folder.appending(path: "\(name).jsonl"))
    try AtomicFile.write(Data(report.markdown.utf8), to: folder.appending(path: "\(name).md"))
    Console.show("\nWrote \(place)/\(name).md and \(place)/\(name).jsonl.")
  }

  /// Ends with exit code 1 if a plant is not installed or a base lacks a skill.
  ///
  /// Plants that were diluted or aged are meant to fail somewhere.
  func fail(over trials: [Trial], lacking skills: [String]) throws {
    for skill in skills { Notice.standardError(skill) }
    let missing = trials.contains { !$0.isInstalled && $0.planting.dial == nil }
    if missing {
      Notice.standardError(
        "a plant is not installed: the report above says which, and with what figures")
    }
    if missing || !skills.isEmpty { throw ExitCode(1) }
  }
}
