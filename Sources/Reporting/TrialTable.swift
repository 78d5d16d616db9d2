package import Bench
internal import Diffing
internal import Scoring

/// Trials row by row: one method on many organisms, or many methods on one.
package struct TrialTable {
  package let text: String

  /// - Parameters:
  ///   - trials: The rows.
  ///   - byMethod: Whether rows are methods; organisms otherwise.
  package init(_ trials: [Trial], byMethod: Bool) {
    let levels = AccessLevel.allCases.filter { level in
      trials.contains { $0.row.access == level }
    }
    let questions = Question.allCases.filter { $0 != .whether }
    text = levels.map { level in
      TextTable(
        header: ["from \(level.rawValue)", byMethod ? "regime" : "method", "magnitude"]
          + questions.map(\.rawValue),
        rows: trials.filter { $0.row.access == level }.map { trial in
          [
            byMethod ? trial.row.method : "\(trial.pair)",
            byMethod ? trial.pair.regime : trial.row.method, Prose.number(trial.magnitude, 3),
          ] + questions.map { Prose.number(trial.score($0)?.value) }
        }, names: 2
      ).fitted
    }.joined(separator: "\n\n")
  }
}
