package import Foundation

/// A run's trials under the name of their file.
package struct NamedRun: Sendable {
  package let name: String
  package let trials: [Trial]

  package init(_ name: String, _ trials: [Trial]) {
    self.name = name
    self.trials = trials
  }

  /// Reads the trials that a run wrote.
  ///
  /// - Throws: What `TrialFile` throws.
  package init(_ url: URL) throws {
    self.init(url.deletingPathExtension().lastPathComponent, try TrialFile.read(url))
  }
}
