import Bench
import Files
import Foundation
import Reporting
import Statistics

/// Writes what a gate found, for people and for programs.
struct GateWriter {
  private let folder: URL
  /// The folder, as the user may write it.
  private let place: String
  private let sarif: URL?
  /// The files' stem: no other run writes under it until this one ends.
  private let claim: ClaimedName

  /// Checks, before any work is spent, that the results can be written, and takes those of an earlier run away: one that
  /// is interrupted leaves none that speak of another.
  ///
  /// - Parameter inputs: Files that are read later, which no result may replace.
  init(_ project: Project, out: String?, sarif: String?, inputs: [String]) throws {
    self.place = out ?? "Reports/local"
    folder = out.map { URL(filePath: $0) } ?? project.localReports
    self.sarif = sarif.map { URL(filePath: $0) }
    claim = try ClaimedName("gate", in: folder)
    let files =
      Self.starts.map { (url(ending: $0.ending), $0.start) }
      + [self.sarif.map { ($0, GateSarif.start) }].compactMap { $0 }
    var taken = Set(inputs.map { Self.resolved(URL(filePath: $0)) })
    for (url, start) in files {
      guard taken.insert(Self.resolved(url)).inserted else {
        throw FileError.unwritable(
          url.path, reason: "it is read, or written, under the same name; name another place")
      }
      try AtomicFile.check(url, replacing: start)
    }
    for (url, _) in files { try? FileManager.default.removeItem(at: url) }
  }

  private static func resolved(_ url: URL) -> String {
    url.standardizedFileURL.resolvingSymlinksInPath().path
  }

  private static let starts: [(ending: String, start: String)] = [
    ("md", GateText.start), ("json", GateResults.start), ("csv", GateResults.csvStart),
    ("xml", GateJUnit.start), ("jsonl", TrialFile.start),
  ]

  private func url(ending: String) -> URL {
    folder.appending(path: "\(claim.name).\(ending)")
  }

  func write(_ gate: Gate, _ trials: [Trial]) throws {
    defer { withExtendedLifetime(claim) {} }
    let text = GateText(gate), results = GateResults(gate)
    Console.show(text.terminal)
    for (ending, content) in [
      ("jsonl", try TrialFile.text(trials)), ("md", text.markdown), ("json", results.json),
      ("csv", results.table.csv()), ("xml", GateJUnit(gate).text),
    ] { try AtomicFile.write(Data(content.utf8), to: url(ending: ending)) }
    if let sarif { try AtomicFile.write(Data(GateSarif(gate).text.utf8), to: sarif) }
    Console.show("\nWrote \(place)/\(claim.name).md, .json, .csv, .xml and .jsonl.")
    tellGitHub(gate, text)
  }

  /// What GitHub is not told takes no verdict with it.
  private func tellGitHub(_ gate: Gate, _ text: GateText) {
    let environment = ProcessInfo.processInfo.environment
    if environment["GITHUB_ACTIONS"] == "true" {
      GateAnnotations(gate).lines.forEach { Console.show($0) }
    }
    guard let path = environment["GITHUB_STEP_SUMMARY"], !path.isEmpty else { return }
    do {
      let url = URL(filePath: path)
      if !FileManager.default.fileExists(atPath: path) { try Data().write(to: url) }
      let handle = try FileHandle(forWritingTo: url)
      defer { try? handle.close() }
      try handle.seekToEnd()
      try handle.write(contentsOf: Data(text.summary.utf8))
    } catch {
      Notice.standardError("the step's summary \(path) cannot be written")
    }
  }
}
