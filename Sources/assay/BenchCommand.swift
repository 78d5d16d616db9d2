internal import Organisms
import ArgumentParser
import Bench
import Foundation
import JSON
import Reporting
import Transformers

struct BenchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench",
    abstract: "Plants organisms, runs every method on each pair, scores them, writes Reports/.")

  @OptionGroup var options: ProjectOptions

  @Option(help: "How much to run: smoke (one base), standard (three), or dials (diluted, aged).")
  var tier: Tier = .smoke

  @Option(name: .customLong("organism"), help: "Only this organism; may be repeated.")
  var organisms: [String] = []

  @Option(name: .customLong("method"), help: "Only this method; may be repeated.")
  var methods: [String] = []

  @Option(name: .customLong("seed"), help: "This base instead of the tier's; may be repeated.")
  var seeds: [UInt64] = []

  @Option(help: "Pairs worked on at once.")
  var jobs = max(1, ProcessInfo.processInfo.activeProcessorCount)

  func validate() throws {
    guard jobs > 0 else { throw ValidationError("--jobs should be at least 1.") }
  }

  func run() throws {
    let project = options.project
    let library = try project.library()
    if let failure = library.failures.first { throw failure.error }
    let grid = try Grid(
      library, tier: tier, organisms: organisms, methods: methods, seeds: seeds)
    try AtomicFolder.write(Data(), to: project.reports.appending(path: ".writable"))
    try? FileManager.default.removeItem(at: project.reports.appending(path: ".writable"))
    let status = BenchStatus(total: grid.trialCount)
    let trials = try BenchRun(project, library: library).run(grid, jobs: jobs, report: status.show)
    status.finish()
    let report = BenchReport(
      trials, title: "Assay: \(isPart ? "part of " : "")the \(tier.rawValue) tier")
    print(report.terminal)
    try write(trials, report, to: project.reports)
    print("\nWrote Reports/\(name).md and Reports/\(name).jsonl.")
    if tier == .smoke {
      print("This was one base. './assay bench --tier standard' runs three.")
    }
  }

  /// Whether only a part of the tier was asked for.
  private var isPart: Bool { !(organisms.isEmpty && methods.isEmpty && seeds.isEmpty) }

  /// A part goes into files of its own, beside the whole tier's.
  private var name: String { isPart ? "\(tier.rawValue)-part" : tier.rawValue }

  private func write(_ trials: [Trial], _ report: BenchReport, to folder: URL) throws {
    let lines = try trials.map { try JSON.encode($0) + "\n" }.joined()
    try AtomicFolder.write(Data(lines.utf8), to: folder.appending(path: "\(name).jsonl"))
    try AtomicFolder.write(Data(report.markdown.utf8), to: folder.appending(path: "\(name).md"))
  }
}

extension Tier: ExpressibleByArgument {}

/// One line on a terminal that says how far a run is; silent when piped.
struct BenchStatus: Sendable {
  let total: Int
  private let terminal = TerminalLine()
  private let start = Date()

  init(total: Int) { self.total = total }

  /// Shows what a run tells.
  @Sendable func show(_ event: BenchRun.Event) {
    switch event {
    case .planting(let subject, let regime, let seed):
      terminal.show("pair \(subject) (\(regime)) on base \(seed)")
    case .finished(let trials, let all):
      let seconds = Date().timeIntervalSince(start)
      let left = Int(seconds / Double(trials) * Double(all - trials))
      terminal.show("\(trials) of \(all) trials, about \(left) s left")
    }
  }

  func finish() { terminal.show("") }
}
