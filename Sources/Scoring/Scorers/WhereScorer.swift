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
    let named = Set(claims.map(\.site))
    // A module that was not named counts as named last.
    let missing = written.filter { !named.contains($0) }
    let lowest = (claims.map { Double($0.score) }.min() ?? 0) - 1
    let positives =
      claims.filter { written.contains($0.site) }.map { Double($0.score) }
      + missing.map { _ in lowest }
    let negatives = claims.filter { !written.contains($0.site) }.map { Double($0.score) }
    guard let area = areaUnderCurve(positives: positives, negatives: negatives) else {
      return .unscored("the method names one kind of module only")
    }
    let first = claims.first.map { written.contains($0.site) } ?? false
    return .scored(area, chance: 0.5, details: ["firstHit": first ? 1 : 0])
  }
}
