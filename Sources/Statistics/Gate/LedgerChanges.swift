internal import Diffing

/// What blessing changed.
package struct LedgerChanges: Sendable {
  /// A figure that moved by more than its question's margin.
  package struct Move: Sendable {
    package let name: String
    package let before, after: Ledger.Expectation
    package let distance: Double
  }

  /// How many cells there were not, and how many there are not any more.
  package let new, gone: Int
  /// The furthest first.
  package let moves: [Move]
}

extension Ledger {
  /// What another ledger has otherwise.
  package func changes(from earlier: Ledger) -> LedgerChanges {
    let cells = Set(self.cells.keys), before = Set(earlier.cells.keys)
    let moves = cells.intersection(before).flatMap { cell in
      Question.allCases.compactMap { question -> LedgerChanges.Move? in
        guard let own = self.cells[cell]?[question.rawValue],
          let old = earlier.cells[cell]?[question.rawValue]
        else { return nil }
        let distance = max(abs(own.low - old.low), abs(own.high - old.high))
        guard distance > Self.margins[question] ?? 0 else { return nil }
        return LedgerChanges.Move(
          name: "\(cell) \(question.rawValue)", before: old, after: own, distance: distance)
      }
    }
    return LedgerChanges(
      new: cells.subtracting(before).count, gone: before.subtracting(cells).count,
      moves: moves.sorted { ($1.distance, $0.name) < ($0.distance, $1.name) })
  }
}
