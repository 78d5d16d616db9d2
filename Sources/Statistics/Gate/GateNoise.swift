internal import Bench
internal import Diffing
internal import Foundation

/// How far scores of the same code go apart when methods draw other numbers.
///
/// A cell was blessed over a few seeds, so its own spread is a poor guess: it is drawn towards the spread that the same
/// method shows in the same question over all plants (as Smyth, 2004, moderates variances: there the prior's weight is
/// estimated, here it is fixed). A fall is more than noise if Student's t of it is less likely than a hundredth shared by
/// all figures that have noise (Bonferroni).
struct GateNoise {
  /// How many degrees of freedom the method's usual spread counts for.
  private static let priorFreedom = 4
  /// How likely one run of the same code may be taken for a worse one.
  private static let risk = 0.01

  private let seeds: Int
  /// The mean squared spread of a method's cells in a question, and how many cells there are.
  private let usual: [String: (variance: Double, count: Int)]
  private let limit: Double

  init(_ ledger: Ledger) {
    seeds = ledger.methodSeeds
    var squares: [String: [Double]] = [:]
    for (name, figures) in ledger.cells {
      guard let row = Cell(name)?.row else { continue }
      for (question, own) in figures {
        squares[Self.key(row, question), default: []].append((own.spread ?? 0) * (own.spread ?? 0))
      }
    }
    usual = squares.mapValues { ($0.sorted().reduce(0, +) / Double($0.count), $0.count) }
    let noisy =
      usual.values.filter { $0.variance > 0 }.map(\.count).reduce(0, +)
      + ledger.methods.values.flatMap(\.values).filter { $0.spread != nil }.count
    limit = StudentT.limit(
      twoSided: 2 * Self.risk / Double(max(noisy, 1)), freedom: Self.priorFreedom + seeds - 1)
  }

  private static func key(_ row: MethodAtAccess, _ question: String) -> String {
    "\(row) \(question)"
  }

  /// How far a cell may fall below what was blessed of it.
  func allowance(_ expected: Ledger.Expectation, _ row: MethodAtAccess, _ question: Question)
    -> Double
  {
    allowance(expected, usual: usual[Self.key(row, question.rawValue)]?.variance ?? 0)
  }

  /// The same of a method's figure over all plants, whose usual spread is that of a mean of its cells.
  func allowance(
    ofMean expected: Ledger.Expectation, _ row: MethodAtAccess, _ question: Question
  ) -> Double {
    let cells = usual[Self.key(row, question.rawValue)]
    return allowance(
      expected, usual: cells.map { $0.variance / Double($0.count) } ?? square(expected.spread))
  }

  private func square(_ spread: Double?) -> Double { (spread ?? 0) * (spread ?? 0) }

  private func allowance(_ expected: Ledger.Expectation, usual: Double) -> Double {
    guard seeds > 1 else { return 0 }
    let own = Double(seeds - 1), prior = Double(Self.priorFreedom)
    let variance = (prior * usual + own * square(expected.spread)) / (prior + own)
    guard variance > 0 else { return 0 }
    // What was blessed is itself a mean of few seeds.
    return limit * (variance * (1 + 1 / Double(seeds))).squareRoot()
  }
}
