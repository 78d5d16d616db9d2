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
    guard let labels = planted.inputs else { return .unasked("nothing was planted") }
    let positives = labels.filter { $0 }.count
    guard positives > 0 else { return .unasked("no prompt of the pool sets the behaviour off") }
    let chance = Ranking.averagePrecisionByChance(positives, of: labels.count)
    guard let ranked = claims.evidence.inputs else {
      return .unanswered("the method ranks no inputs", chance: chance)
    }
    let order = Ranking.completed(
      ranked.map(\.row), among: Array(labels.indices), seed: context.seed)
    return .scored(Ranking.averagePrecision(order.map { labels[$0] }), chance: chance)
  }
}
