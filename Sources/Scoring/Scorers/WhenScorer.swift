package import Diffing
package import Organisms

/// *When* the behaviour shows: the prompts that set it off, ahead of all others.
package struct WhenScorer: Scorer {
  package static let question = Question.when
  package static let figures: [Figure] = []

  package init() {}

  package func score(_ claims: Claims, against planted: PlantedChange, in context: ScoringContext)
    -> Score
  {
    guard let labels = planted.inputs else { return .unscored("nothing was planted") }
    guard let ranked = claims.evidence.inputs else {
      return .unscored("the method ranks no inputs")
    }
    let positives = labels.filter { $0 }.count
    guard positives > 0 else { return .unscored("no prompt of the pool sets the behaviour off") }
    let order = Ranking.completed(
      ranked.map(\.row), among: Array(labels.indices), seed: context.seed)
    return .scored(
      Ranking.averagePrecision(order.map { labels[$0] }),
      chance: Ranking.averagePrecisionByChance(positives, of: labels.count))
  }
}
