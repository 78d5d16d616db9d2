package import Foundation
internal import JSON
internal import Scoring

/// The trials of a run in a file, a line of JSON each, as `bench` writes them beside its report.
package enum TrialFile {
  /// A file that holds no run.
  package enum Fault: Error, CustomStringConvertible {
    case unreadable(String)
    case empty(String)
    case line(Int, file: String, reason: String)
    case repeated(String, file: String)

    package var description: String {
      switch self {
      case .unreadable(let path):
        "\(path): cannot be read. './assay bench' writes trials to Reports/local/, in files that end with .jsonl."
      case .empty(let path): "\(path): holds no trial."
      case .line(let line, let path, let reason):
        "\(path):\(line): is no line of a run (\(reason)). './assay bench' and './assay score' write the file anew."
      case .repeated(let cell, let path): "\(path): holds two trials of \(cell)."
      }
    }
  }

  /// What a file of trials starts with, so that no other file is taken for one.
  package static let start = #"{"key":""#

  /// The lines of some trials.
  package static func text(_ trials: [Trial]) throws -> String {
    try trials.map { try JSON.encode($0) + "\n" }.joined()
  }

  /// What is wrong with a line; its own number is of no use, since every line is read alone.
  private static func reason(_ error: any Error, in url: URL) -> String {
    guard url.pathExtension != "md" else {
      return "it is a report, whose trials are in the .jsonl beside it"
    }
    let text = "\(error)"
    let place = ["\(url.lastPathComponent):1: ", "\(url.lastPathComponent): "].first(
      where: text.hasPrefix)
    return String(text.dropFirst(place?.count ?? 0)).trimmingCharacters(in: [".", " "])
  }

  /// Scores end at 1, where all was answered; what breaks more than it explains is below 0.
  private static let scores = -1000.0...1.0 + 1e-6

  /// Reads the trials of a file, in its order.
  ///
  /// - Throws: `Fault`, also of a line that was cut off: what is left of a run is no run.
  package static func read(_ url: URL) throws -> [Trial] {
    guard let data = try? Data(contentsOf: url) else { throw Fault.unreadable(url.path) }
    let lines = data.split(separator: UInt8(ascii: "\n"))
    var cells: Set<Cell> = [], families: [String: String] = [:]
    let trials = try lines.enumerated().map { index, line in
      let trial: Trial
      do {
        trial = try JSON.decode(Trial.self, from: Data(line), file: url.lastPathComponent)
      } catch {
        throw Fault.line(index + 1, file: url.path, reason: reason(error, in: url))
      }
      guard cells.insert(trial.cell).inserted else {
        throw Fault.repeated("\(trial.cell)", file: url.path)
      }
      guard trial.scores.values.allSatisfy({ scores.contains($0.counted ?? 0) }) else {
        throw Fault.line(index + 1, file: url.path, reason: "a score is beyond all bounds")
      }
      let family =
        trial.isNull ? nil : families.updateValue(trial.family, forKey: trial.pair.subject)
      guard family == nil || family == trial.family else {
        throw Fault.line(
          index + 1, file: url.path, reason: "\(trial.pair.subject) was of another family before")
      }
      return trial
    }
    guard !trials.isEmpty else { throw Fault.empty(url.path) }
    return trials
  }
}
