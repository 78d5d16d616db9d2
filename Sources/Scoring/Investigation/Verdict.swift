package import Diffing
package import Organisms
package import Transformers

/// What somebody who asked about a pair commits himself to: that something was planted, what, and where it shows; or nothing.
package struct Verdict: Equatable, Sendable {
  package let hypothesis: Belief.Hypothesis?
  package let row: Int?
  package let site: ModuleSite?
  /// Whether it says that something was planted; else it abstains from everything.
  package let asserts: Bool

  /// Says that nothing can be said.
  package static let abstention = Verdict(hypothesis: nil, row: nil, site: nil, asserts: false)

  /// Says that something was planted.
  package init(hypothesis: Belief.Hypothesis?, row: Int? = nil, site: ModuleSite? = nil) {
    self.init(hypothesis: hypothesis, row: row, site: site, asserts: true)
  }

  /// - Parameter finding: What was found, and is enough to say so.
  package init(_ finding: Investigator.Finding) {
    self.init(hypothesis: finding.hypothesis, row: finding.row, site: finding.site)
  }

  private init(
    hypothesis: Belief.Hypothesis?, row: Int?, site: ModuleSite?, asserts: Bool
  ) {
    self.hypothesis = hypothesis
    self.row = row
    self.site = site
    self.asserts = asserts
  }

  /// Points by question: 1 for what is right, -1 for what is wrong, 0 for what was not said; a question that cannot be asked of the pair
  /// has none.
  ///
  /// - Parameter truth: What was planted; *whether* alone is asked of a null pair.
  package func points(_ truth: PlantedChange) -> [Question: Int] {
    var points: [Question: Int] = [:]
    points[.whether] = asserts ? (truth.isPlanted ? 1 : -1) : 0
    guard truth.isPlanted else { return points }
    if let tokens = truth.tokens {
      points[.what] = Self.points(hypothesis) {
        $0.sign == tokens.sign && tokens.allTargets.contains($0.token)
      }
    }
    if let inputs = truth.inputs { points[.when] = Self.points(row) { inputs[$0] } }
    if let sites = truth.sites { points[.where] = Self.points(site, sites.contains) }
    return points
  }

  private static func points<Answer>(_ answer: Answer?, _ isRight: (Answer) -> Bool) -> Int {
    answer.map { isRight($0) ? 1 : -1 } ?? 0
  }
}
