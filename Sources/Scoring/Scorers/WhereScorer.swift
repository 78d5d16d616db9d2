internal import Transformers
package import Diffing
package import Organisms

/// *Where* the change sits: the modules that training was allowed to write, ahead of all others.
package struct WhereScorer: Scorer {
  package static let question = Question.where

  package init() {}

  package func score(
    _ evidence: Evidence, against planted: PlantedChange, in context: ScoringContext
  ) -> Score {
    guard let written = planted.sites.map({ Set($0.map(\.description)) }) else {
      return .unscored("training was free to write anywhere")
    }
    guard let claims = evidence.sites else { return .unscored("the method names no sites") }
    // Every module counts for every method; those that were not named tie behind the others.
    let scores = Dictionary(claims.map { ($0.site, Double($0.score)) }) { first, _ in first }
    let unnamed = (scores.values.min() ?? 0) - 1
    let modules = ModuleSite.all(layers: context.pair.shape.layers).map(\.description)
    func values(_ isWritten: Bool) -> [Double] {
      modules.filter { written.contains($0) == isWritten }.map { scores[$0] ?? unnamed }
    }
    let positives = values(true), negatives = values(false)
    guard let area = areaUnderCurve(positives: positives, negatives: negatives) else {
      return .unscored("training was free to write everywhere")
    }
    let first = claims.first.map { written.contains($0.site) } ?? false
    return .scored(area, chance: 0.5, details: ["firstHit": first ? 1 : 0])
  }
}
