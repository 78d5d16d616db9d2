package import Bench
package import Diffing
internal import Organisms
internal import Scoring
internal import Tensors

/// Whether methods that are ranked on models of one size are ranked alike on those of another.
///
/// The organisms of two sizes are others, of the same families: a figure is a mean over the families that have an
/// installed plant in both runs.
package struct RankingTransfer: Sendable {
  /// How far the methods' figures are in the same order.
  package struct Agreement: Sendable {
    package let question: Question
    package let access: AccessLevel
    package let methods: [MethodFigures]
    /// Nil where one of the runs ties all methods.
    package let spearman, kendall: Correlation?
  }

  /// A correlation with what families, organisms and bases allow one to say of it.
  package struct Correlation: Sendable {
    package let value: Double
    package let interval: ConfidenceInterval?
  }

  /// A method's figure in both runs, and its place among the methods that are compared, 1 for the best.
  package struct MethodFigures: Sendable {
    package let row: MethodAtAccess
    package let first, second: Double
    package let firstPlace, secondPlace: Double

    /// How far it moved, as a share of the places that there are.
    package func shift(among count: Int) -> Double {
      count > 1 ? (secondPlace - firstPlace) / Double(count - 1) : 0
    }
  }

  package let agreements: [Agreement]
  /// The families that both runs have an installed plant of.
  package let families: [String]

  /// - Parameters:
  ///   - first: The trials of one size.
  ///   - second: Those of another.
  ///   - drawCount: How often families, organisms and bases are drawn.
  package init(_ first: [Trial], _ second: [Trial], drawCount: Int = Clusters.drawCount) {
    let shared = Self.families(first).intersection(Self.families(second))
    families = shared.sorted()
    let runs = PairedRuns(Self.part(first, of: shared), Self.part(second, of: shared), drawCount)
    agreements = Question.allCases.flatMap { question in
      let figures = runs.figures(question)
      return AccessLevel.allCases.compactMap { level in
        runs.agreement(question, level, figures.filter { $0.row.access == level })
      }
    }
  }

  /// What the methods of a level of access say of a question; nil if fewer than three answer it.
  package func agreement(_ question: Question, _ access: AccessLevel) -> Agreement? {
    agreements.first { $0.question == question && $0.access == access }
  }

  private static func families(_ trials: [Trial]) -> Set<String> {
    Set(trials.filter { !$0.isNull && $0.isInstalled && $0.half != .heldOut }.map(\.family))
  }

  /// The plants of some families, with their null pairs and those of no plant.
  private static func part(_ trials: [Trial], of families: Set<String>) -> [Trial] {
    let subjects = Set(
      trials.filter { !$0.isNull && families.contains($0.family) }.map(\.pair.subject))
    return trials.filter { trial in
      guard trial.half != .heldOut else { return false }
      guard trial.isNull else { return families.contains(trial.family) }
      return trial.match.map { subjects.contains($0.subject) } ?? true
    }
  }
}

/// Two runs of the same families, with draws of both.
private struct PairedRuns {
  typealias Draw = (first: ClusterDraw, second: ClusterDraw)

  private let first, second: [MethodSummary]
  private let clusters: (first: Clusters, second: Clusters)
  private let draws: [Draw]

  init(_ first: [Trial], _ second: [Trial], _ drawCount: Int) {
    self.first = BenchSummary(first).methods
    self.second = BenchSummary(second).methods
    clusters = (Clusters(first.filter(\.isInstalled)), Clusters(second.filter(\.isInstalled)))
    draws = Self.draws(clusters, drawCount)
  }

  /// Draws of both runs, of the same families: organisms and bases are each run's own.
  private static func draws(_ clusters: (first: Clusters, second: Clusters), _ count: Int) -> [Draw]
  {
    guard !clusters.first.families.isEmpty else { return [] }
    var generator = SeededGenerator(seed: 0, for: "clusters of two runs")
    return (0..<count).map { _ in
      let first = clusters.first.draw(&generator)
      return (first, clusters.second.draw(like: first, &generator))
    }
  }

  /// A method with its figure over every draw, in both runs.
  struct Figures {
    let row: MethodAtAccess
    let first, second: Double
    let replicates: [(Double?, Double?)]
  }

  /// Of methods that answer in either run; in the other they are at chance.
  func figures(_ question: Question) -> [Figures] {
    let others = Dictionary(second.map { ($0.row, $0) }) { first, _ in first }
    return first.compactMap { method in
      guard let other = others[method.row] else { return nil }
      let isAnswered = [method, other].contains { $0.reading(question) != nil }
      guard let own = RunComparison.reading(question, method, isAnswered),
        let others = RunComparison.reading(question, other, isAnswered),
        let a = method.mean(own), let b = other.mean(others)
      else { return nil }
      let means = (
        ClusteredMean(method.installed, in: clusters.first, own),
        ClusteredMean(other.installed, in: clusters.second, others)
      )
      return Figures(
        row: method.row, first: a, second: b,
        replicates: draws.map { (means.0.value($0.first), means.1.value($0.second)) })
    }
  }

  func agreement(_ question: Question, _ access: AccessLevel, _ figures: [Figures])
    -> RankingTransfer.Agreement?
  {
    guard figures.count > 2 else { return nil }
    let places = [figures.map { -$0.first }, figures.map { -$0.second }].map(RankCorrelation.ranks)
    return RankingTransfer.Agreement(
      question: question, access: access,
      methods: figures.indices.map { index in
        RankingTransfer.MethodFigures(
          row: figures[index].row, first: figures[index].first, second: figures[index].second,
          firstPlace: places[0][index], secondPlace: places[1][index])
      },
      spearman: estimate(figures, RankCorrelation.spearman),
      kendall: estimate(figures, RankCorrelation.kendall))
  }

  private func estimate(_ figures: [Figures], _ correlation: ([(Double, Double)]) -> Double?)
    -> RankingTransfer.Correlation?
  {
    guard let value = correlation(figures.map { ($0.first, $0.second) }) else { return nil }
    let replicates = draws.indices.compactMap { draw in
      correlation(
        figures.compactMap { figure in
          let (a, b) = figure.replicates[draw]
          return a.flatMap { a in b.map { (a, $0) } }
        })
    }
    return RankingTransfer.Correlation(
      value: value,
      interval: ConfidenceInterval(replicates: replicates, witnesses: clusters.first.families.count)
    )
  }
}
