package import Bench
package import Diffing
internal import Scoring
internal import Synchronization
internal import Tensors
internal import Foundation

/// How often methods recover plants, by a hierarchical model of all methods of one level of access at one question.
///
/// Trials are few and clustered, so a method's rate is drawn towards the others' as far as the data leave it open: η = μ +
/// method + family + organism + method at organism, a plant being recovered if its score is at the question's mark.
package struct MethodPosterior: Sendable {
  /// One method's rate.
  package struct Row: Sendable {
    package let row: MethodAtAccess
    /// How many plants it recovered, of how many.
    package let recovered, plants: Int
    /// The mean and the central 95 % of the rate at an organism of a family that nobody has seen.
    package let rate: Double
    package let interval: ConfidenceInterval
    let draws: [Double]
  }

  /// The best first.
  package let rows: [Row]
  package let diagnostics: ChainDiagnostics

  /// The probability that one method is better than another, ties shared.
  package func probability(_ a: Row, above b: Row) -> Double {
    let wins = zip(a.draws, b.draws).reduce(0.0) { $0 + ($1.0 > $1.1 ? 1 : $1.0 == $1.1 ? 0.5 : 0) }
    return wins / Double(max(1, a.draws.count))
  }

  /// The probability that no other method is better than one, ties shared.
  package func probabilityOfBest(_ own: Row) -> Double {
    let shares = own.draws.indices.map { draw -> Double in
      let values = rows.map { $0.draws[draw] }
      guard values.max() == own.draws[draw] else { return 0 }
      return 1 / Double(values.filter { $0 == own.draws[draw] }.count)
    }
    return shares.mean
  }

  /// What the priors of the spreads allow: half-normal of 1 on the scale of log odds.
  ///
  /// The 0.1 of HiBayES' groups draws methods together that differ tenfold in their odds.
  static let scale = 1.0
  static let centre = 1.5
  static let chainCount = 4

  /// - Parameters:
  ///   - question: What is asked.
  ///   - methods: All of one level of access.
  ///   - settings: How long is sampled.
  /// - Returns: Nil if fewer than two methods answer.
  package init?(
    _ question: Question, _ methods: [MethodSummary], settings: SamplerSettings = SamplerSettings()
  ) {
    let answering = methods.filter { $0.reading(question) != nil }
    let counts = RecoveryCounts(question, answering)
    guard answering.count > 1, !counts.cells.isEmpty else { return nil }
    let model = counts.model
    let chains = Self.sample(model, settings)
    let rates = answering.indices.map { method in
      chains.map { $0.points.map { Self.rate(method, model, $0) } }
    }
    let spreads = model.factors.indices.map { factor in
      chains.map { $0.points.map { exp($0[1 + factor]) } }
    }
    diagnostics = ChainDiagnostics(chains, quantities: rates + spreads)
    rows = answering.indices.map { index in
      let draws = rates[index].flatMap(\.self), sorted = draws.sorted()
      let total = counts.total(method: index)
      return Row(
        row: answering[index].row, recovered: total.successes, plants: total.trials,
        rate: draws.mean,
        interval: ConfidenceInterval(
          low: ConfidenceInterval.quantile(sorted, 0.025),
          high: ConfidenceInterval.quantile(sorted, 0.975)), draws: draws)
    }.sorted { $0.rate > $1.rate }
  }

  /// A method's rate at an organism of a family that nobody has seen.
  ///
  /// η is then normal, of variance v the sum of the other factors', and the mean of 1 / (1 + e^−η) about that at η / √(1 +
  /// πv/8) (MacKay, 1992).
  private static func rate(_ method: Int, _ model: BinomialModel, _ point: [Double]) -> Double {
    let variance = (2...model.factors.count).reduce(0) { $0 + exp(2 * point[$1]) }
    let eta = point[0] + model.effect(0, level: method, at: point)
    return 1 / (1 + exp(-eta / (1 + .pi * variance / 8).squareRoot()))
  }

  /// Chains, on as many threads: each has a seed of its own, so that their number decides nothing.
  private static func sample(_ model: BinomialModel, _ settings: SamplerSettings) -> [Chain] {
    let chains = Mutex([Chain?](repeating: nil, count: chainCount))
    DispatchQueue.concurrentPerform(iterations: chainCount) { index in
      var sampler = NoUTurnSampler(model, seed: UInt64(index), settings: settings)
      let chain = sampler.chain()
      chains.withLock { $0[index] = chain }
    }
    return chains.withLock { $0.compactMap(\.self) }
  }
}

/// How often each method recovers the plants of each organism.
struct RecoveryCounts {
  let cells: [BinomialModel.Cell]
  private let levels: (methods: Int, families: Int, organisms: Int)

  init(_ question: Question, _ methods: [MethodSummary]) {
    let mark = Ledger.marks[question] ?? 0.5
    let clusters = Clusters(methods.flatMap(\.installed))
    levels = (methods.count, clusters.families.count, clusters.organismCount)
    var cells: [BinomialModel.Cell] = []
    for (index, method) in methods.enumerated() {
      guard let reading = method.reading(question) else { continue }
      let organisms = Dictionary(grouping: method.installed, by: \.pair.subject)
      for (family, members) in clusters.families.enumerated() {
        for organism in members {
          let scores = (organisms[organism] ?? []).compactMap(reading)
          guard !scores.isEmpty else { continue }
          let place = clusters.places[organism] ?? 0
          cells.append(
            BinomialModel.Cell(
              levels: [index, family, place, index * clusters.organismCount + place],
              successes: scores.filter { $0 >= mark }.count, trials: scores.count))
        }
      }
    }
    self.cells = cells
  }

  /// Methods, families, organisms, and methods at organisms.
  var model: BinomialModel {
    let sizes = [
      levels.methods, levels.families, levels.organisms, levels.methods * levels.organisms,
    ]
    return BinomialModel(
      sizes.map { BinomialModel.Factor(levels: $0, scale: MethodPosterior.scale) },
      centre: MethodPosterior.centre, cells)
  }

  func total(method: Int) -> (successes: Int, trials: Int) {
    cells.filter { $0.levels[0] == method }.reduce((0, 0)) {
      ($0.0 + $1.successes, $0.1 + $1.trials)
    }
  }
}
