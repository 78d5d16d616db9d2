package import Foundation
internal import JSON
internal import Synchronization
internal import Transformers

/// Keeps finished trials, one line each, so that a run that was killed goes on where it stopped.
///
/// Several processes may share the file: each sees the trials that were there when it opened it.
package final class TrialStore: Sendable {
  private struct State {
    var trials: [String: Trial]
    let file: LineFile
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
    do {
      let file = try LineFile(url)
      let trials = Dictionary(Self.parse(try file.lines(), of: sources).map { ($0.key, $0) }) { $1 }
      state = Mutex(State(trials: trials, file: file))
    } catch {
      throw CheckpointError.unwritable(url.path, reason: "no permission, or no space")
    }
  }

  /// Lines that cannot be read were written by another version: they are measured again.
  private static func parse(_ lines: [Data], of sources: String) -> [Trial] {
    let digest = Data(sources.utf8)
    return lines.compactMap { line in
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
    let line = Data(try JSON.encode(trial).utf8)
    try state.withLock { state in
      do {
        try state.file.append(line)
      } catch {
        throw CheckpointError.unwritable("trials.jsonl", reason: "the disk may be full")
      }
      state.trials[trial.key] = trial
    }
  }
}
