internal import Transformers
package import Diffing
package import Organisms

/// *Where* the change sits: the modules that training was allowed to write, ahead of all others.
///
/// Modules in which nothing is ever planted are no candidates: to rank the embedding last is no finding.
package struct WhereScorer: Scorer {
  package static let question = Question.where
  package static let figures = [Figure.firstHit]

  package init() {}

  package func score(_ claims: Claims, against planted: PlantedChange, in context: ScoringContext)
    -> Score
  {
    guard let written = planted.sites.map(Set.init) else {
      return .unasked("training was free to write anywhere")
    }
    let modules = ModuleSite.all(layers: context.layers).filter {
      $0.layer != nil || written.contains($0)
    }
    guard !modules.allSatisfy(written.contains) else {
      return .unasked("training was free to write everywhere")
    }
    guard let ranked = claims.evidence.sites else {
      return .unanswered(
        "the method names no sites", chance: 0.5,
        figures: [.firstHit: Double(written.count) / Double(modules.count)])
    }
    // Every module counts for every method; those that were not named tie behind the others.
    let scores = Dictionary(ranked.map { ($0.site, Double($0.score)) }) { first, _ in first }
    let unnamed = -Double.infinity
    func values(_ isWritten: Bool) -> [Double] {
      modules.filter { written.contains($0) == isWritten }.map { scores[$0] ?? unnamed }
    }
    let positives = values(true), negatives = values(false)
    guard let area = Ranking.areaUnderCurve(positives: positives, negatives: negatives) else {
      return .unasked("the models have no such modules")
    }
    let first = ranked.first { modules.contains($0.site) }.map { written.contains($0.site) }
    return .scored(area, chance: 0.5, figures: [.firstHit: first == true ? 1 : 0])
  }
}

extension Figure {
  /// 1 if the first module that a method names was written, else 0.
  package static let firstHit = Figure("firstHit")
}
