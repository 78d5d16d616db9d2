internal import Transformers
package import Diffing
package import Organisms

/// *Where* the change sits: the modules that training was allowed to write, ahead of all others.
package struct WhereScorer: Scorer {
  package static let question = Question.where
  package static let figures = [Figure.firstHit]

  package init() {}

  package func score(_ claims: Claims, against planted: PlantedChange, in context: ScoringContext)
    -> Score
  {
    guard let written = planted.sites.map(Set.init) else {
      return .unscored("training was free to write anywhere")
    }
    guard let ranked = claims.evidence.sites else { return .unscored("the method names no sites") }
    // Every module counts for every method; those that were not named tie behind the others.
    let scores = Dictionary(ranked.map { ($0.site, Double($0.score)) }) { first, _ in first }
    let unnamed = -Double.infinity
    let modules = ModuleSite.all(layers: context.layers)
    func values(_ isWritten: Bool) -> [Double] {
      modules.filter { written.contains($0) == isWritten }.map { scores[$0] ?? unnamed }
    }
    let positives = values(true), negatives = values(false)
    guard let area = Ranking.areaUnderCurve(positives: positives, negatives: negatives) else {
      return .unscored("training was free to write everywhere")
    }
    let first = ranked.first.map { written.contains($0.site) } ?? false
    return .scored(area, chance: 0.5, figures: [.firstHit: first ? 1 : 0])
  }
}

extension Figure {
  /// 1 if the first module that a method names was written, else 0.
  package static let firstHit = Figure("firstHit")
}
