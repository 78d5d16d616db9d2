package import Bench
internal import Diffing
internal import Organisms
internal import Scoring

extension Ledger {
  /// Its cells as trials, so that two ledgers are compared as two runs are.
  ///
  /// Each organism counts as a family of its own, which a ledger does not tell. Of *whether* a ledger has no cells.
  package var trials: [Trial] {
    cells.sorted { $0.key < $1.key }.compactMap { name, figures in
      Cell(name).map { cell in
        Trial(
          cell: cell, key: name, family: cell.pair.subject, half: nil, standard: cell.pair.regime,
          planting: Trial.Planting(), role: .planted, match: nil, failures: [],
          answersWhether: false, magnitude: nil, scores: Self.scores(figures),
          cost: CellEvidence.Cost(
            seconds: 0, tokensForward: 0, tokensBackward: 0, tokensShared: 0, peakMemory: 0),
          versions: CellEvidence.Versions(
            pair: "", sources: "", openBLASCore: machines.first?.openBLASCore ?? "",
            kernels: machines.first?.kernels ?? ""))
      }
    }
  }

  private static func scores(_ figures: Figures) -> [Question: Score] {
    Question.allCases.reduce(into: [:]) { scores, question in
      scores[question] = figures[question.rawValue].map {
        .scored(($0.low + $0.high) / 2, chance: 0)
      }
    }
  }
}
