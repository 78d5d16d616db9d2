internal import Bench
internal import Diffing
internal import Foundation

/// How far a figure of the same code goes from what was blessed when methods draw other numbers.
///
/// A cell was blessed over a few seeds, so its own spread is a poor guess: it is drawn towards the spread that the same
/// method shows in the same question over all plants (as Smyth, 2004, moderates variances: there the prior's weight is
/// estimated, here it is fixed). Of a method's mean the variance is that of independent cells, unless its own spread says
/// that they go up and down together. A fall is more than noise if Student's t of it is less likely than a risk that all
/// figures with noise share (Bonferroni).
struct GateNoise {
  /// A figure's noise over seeds.
  struct Spread {
    let variance: Double
    let freedom: Double
    static let none = Spread(variance: 0, freedom: 1)
  }

  /// Figures of one kind, and how many of them have noise.
  private struct Kind {
    let spreads: [String: Spread]
    let noisy: Int

    init(_ spreads: [String: Spread]) {
      self.spreads = spreads
      noisy = spreads.values.filter { $0.variance > 0 }.count
    }
  }

  /// How many degrees of freedom the method's usual spread counts for.
  private static let priorFreedom = 4.0
  /// How sure a fall has to be.
  enum Stage {
    /// Worth more runs: of every figure alone one run in five hundred may look so.
    case suspicion
    /// A fall: of all figures together two runs of the same code in a hundred may look so, if noise were normal.
    case decision
  }

  private static func risk(_ stage: Stage, figures: Int) -> Double {
    switch stage {
    case .suspicion: 0.002
    // Half by the cells, half by the means.
    case .decision: 0.01 / Double(figures)
    }
  }

  /// The ratio of a mean's own variance to that of independent cells which one in a hundred exceeds by chance (F at 7
  /// and many degrees).
  private static let clearRatio = 2.64

  private let seeds: Int
  private let cells, means: Kind

  init(_ ledger: Ledger) {
    seeds = ledger.methodSeeds
    let own = Double(max(seeds - 1, 1))
    var squares: [String: [String: Double]] = [:]
    for (name, figures) in ledger.cells {
      guard let row = Cell(name)?.row else { continue }
      for (question, figure) in figures {
        squares["\(row) \(question)", default: [:]][name] = Self.square(figure.spread)
      }
    }
    cells = Kind(
      squares.reduce(into: [:]) { spreads, entry in
        let all = entry.value.values.sorted()
        let usual = all.reduce(0, +) / Double(all.count)
        for (name, square) in entry.value {
          let variance = (Self.priorFreedom * usual + own * square) / (Self.priorFreedom + own)
          spreads["\(name) \(entry.key)"] = Spread(
            variance: variance, freedom: Self.priorFreedom + own)
        }
      })
    means = Kind(
      ledger.methods.reduce(into: [:]) { spreads, entry in
        for (question, figure) in entry.value {
          let name = "\(entry.key) \(question)"
          let cells = squares[name].map { Self.mean($0.values.sorted(), own: own) } ?? .none
          let square = Self.square(figure.spread)
          spreads[name] =
            square > Self.clearRatio * cells.variance
            ? Spread(variance: square, freedom: own) : cells
        }
      })
  }

  private static func square(_ spread: Double?) -> Double { (spread ?? 0) * (spread ?? 0) }

  /// The variance of a mean of independent cells, with Satterthwaite's degrees of freedom: (Σ s²)² / Σ (s⁴ / n).
  private static func mean(_ squares: [Double], own: Double) -> Spread {
    let sum = squares.reduce(0, +), count = Double(squares.count)
    guard sum > 0 else { return .none }
    return Spread(
      variance: sum / (count * count),
      freedom: sum * sum / (squares.map { $0 * $0 }.reduce(0, +) / own))
  }

  /// How far a cell's mean over some runs may fall below what was blessed of it.
  func allowance(_ cell: Cell, _ question: Question, runs: Int, _ stage: Stage) -> Double {
    allowance("\(cell) \(cell.row) \(question.rawValue)", of: cells, runs: runs, stage)
  }

  /// The same of a method's figure over all plants.
  func allowance(ofMean row: MethodAtAccess, _ question: Question, runs: Int, _ stage: Stage)
    -> Double
  {
    allowance("\(row) \(question.rawValue)", of: means, runs: runs, stage)
  }

  private func allowance(_ name: String, of kind: Kind, runs: Int, _ stage: Stage) -> Double {
    guard seeds > 1, let spread = kind.spreads[name], spread.variance > 0 else { return 0 }
    let limit = StudentT.limit(
      twoSided: 2 * Self.risk(stage, figures: kind.noisy), freedom: max(1, Int(spread.freedom)))
    // What was blessed is itself a mean of few seeds.
    return limit * (spread.variance * (1 / Double(max(runs, 1)) + 1 / Double(seeds))).squareRoot()
  }
}
