package import Foundation
internal import JSON
internal import Synchronization
internal import Transformers

/// Keeps finished trials, one line each, so that a run that was killed goes on where it stopped.
///
/// A line is appended by one write. If the process dies in the middle of it, the torn line is
/// cut off the next time the file is opened.
package final class TrialStore: Sendable {
  private struct State {
    var trials: [String: Trial]
    var file: FileHandle
  }

  private let state: Mutex<State>

  /// Opens the trials of a project, or starts them.
  ///
  /// - Parameters:
  ///   - url: The file.
  ///   - sources: The digest of the sources that run. Trials of other sources stay in the file, for whoever goes
  ///     back to them, and are not read.
  /// - Throws: `CheckpointError.unwritable`.
  package init(_ url: URL, sources: String) throws {
    let files = FileManager.default
    do {
      try files.createDirectory(
        at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
      let content = (try? Data(contentsOf: url)) ?? Data()
      let whole = content.lastIndex(of: 0x0A).map { content[...$0] } ?? Data()
      if whole.count != content.count || !files.fileExists(atPath: url.path) {
        try Data(whole).write(to: url, options: .atomic)
      }
      let handle = try FileHandle(forWritingTo: url)
      try handle.seekToEnd()
      let trials = Dictionary(Self.parse(whole, of: sources).map { ($0.key, $0) }) { $1 }
      state = Mutex(State(trials: trials, file: handle))
    } catch {
      throw CheckpointError.unwritable(url.path, reason: "no permission, or no space")
    }
  }

  /// Lines that cannot be read were written by another version: they are measured again.
  private static func parse(_ data: Data, of sources: String) -> [Trial] {
    let digest = Data(sources.utf8)
    return data.split(separator: 0x0A).compactMap { line in
      guard line.range(of: digest) != nil,
        let trial = try? JSON.decode(Trial.self, from: Data(line), file: "trials.jsonl"),
        trial.provenance.sources == sources
      else { return nil }
      return trial
    }
  }

  /// The trial with a key, if it has been run.
  package func trial(_ key: String) -> Trial? { state.withLock { $0.trials[key] } }

  /// Adds a finished trial.
  ///
  /// - Throws: `CheckpointError.unwritable`; then the trial is not kept.
  package func append(_ trial: Trial) throws {
    let line = Data((try JSON.encode(trial) + "\n").utf8)
    try state.withLock { state in
      do {
        try state.file.write(contentsOf: line)
      } catch {
        throw CheckpointError.unwritable("trials.jsonl", reason: "the disk may be full")
      }
      state.trials[trial.key] = trial
    }
  }
}
