internal import Bench
package import Diffing

/// How many organisms and bases a run needs for a difference between two methods to be seen, and what a finished run
/// could have seen.
///
/// From the parts of the variance of the difference between two methods of one level of access, of which the median over
/// pairs of methods is taken: Var = family / F + organism / N + base / B + cell / (N · R · B) for N organisms of F
/// families under R regimes each on B bases. A difference is seen in four of five runs if it is t + 0.84 standard errors,
/// t Student's at F − 1 degrees (at N − 1 if all are of one
/// family).
package struct StudyPlan: Sendable {
  /// What a run consists of.
  package struct Design: Equatable, Sendable {
    package let families, organisms, bases: Int
    /// Planted pairs an organism and base.
    package let regimes: Double

    /// What is drawn from: families, or organisms if all are of one family.
    var witnesses: Int { families > 1 ? families : organisms }
  }

  /// One question at one level of access.
  package struct Row: Sendable {
    package let question: Question
    package let access: AccessLevel
    package let design: Design
    /// How many pairs of methods were looked at.
    package let pairs: Int
    let parts: [VarianceSplit.Part: Double]

    /// The least difference that four runs of five of a design see.
    package func leastDifference(_ design: Design) -> Double {
      let variance =
        part(.family) / Double(design.families) + part(.organism) / Double(design.organisms)
        + part(.base) / Double(design.bases)
        + rest / (Double(design.organisms * design.bases) * design.regimes)
      let limit = StudentT.limit(
        twoSided: ConfidenceInterval.error, freedom: design.witnesses - 1)
      return (limit + StudyPlan.powerQuantile) * variance.squareRoot()
    }

    /// How many organisms see a difference, families growing with them as they did in the run; nil if a thousand do
    /// not.
    package func organisms(for gap: Double, bases: Int) -> Int? {
      (2...1000).first { organisms in
        let families =
          design.families == 1 ? 1 : max(2, organisms * design.families / design.organisms)
        return leastDifference(
          Design(
            families: families, organisms: organisms, bases: bases, regimes: design.regimes))
          <= gap
      }
    }

    private func part(_ part: VarianceSplit.Part) -> Double { parts[part] ?? 0 }
    private var rest: Double { part(.cell) + part(.planting) + part(.draw) }
  }

  /// The standard normal number that 80 % lie below.
  static let powerQuantile = 0.8416

  package let rows: [Row]

  /// - Parameter summary: A finished run.
  package init(_ summary: BenchSummary) {
    rows = Question.allCases.flatMap { question in
      AccessLevel.allCases.compactMap { Self.row(question, $0, summary) }
    }
  }

  private static func row(
    _ question: Question, _ access: AccessLevel, _ summary: BenchSummary
  ) -> Row? {
    let methods = summary.methods(at: access).filter { $0.reading(question) != nil }
    let splits = methods.indices.flatMap { a in
      methods.indices.filter { $0 > a }.compactMap { split(methods[a], methods[$0], question) }
    }
    let trials = methods.flatMap { method in
      method.installed.filter { method.reading(question)?($0) != nil }
    }
    guard let design = Design(trials), !splits.isEmpty else { return nil }
    var parts: [VarianceSplit.Part: Double] = [:]
    for part in VarianceSplit.Part.allCases {
      parts[part] = median(splits.map { $0.variances[part] ?? 0 })
    }
    return Row(
      question: question, access: access, design: design, pairs: splits.count, parts: parts)
  }

  /// The parts of the difference between two methods, trial by trial.
  private static func split(_ a: MethodSummary, _ b: MethodSummary, _ question: Question)
    -> VarianceSplit?
  {
    guard let first = a.reading(question), let second = b.reading(question) else { return nil }
    let others = Dictionary(b.installed.map { (Subject($0), $0) }) { first, _ in first }
    return VarianceSplit(a.installed) { trial in
      guard let own = first(trial), let other = others[Subject(trial)].flatMap(second) else {
        return nil
      }
      return own - other
    }
  }

  private struct Subject: Hashable {
    let pair: PairName
    let seeds: TrialSeeds

    init(_ trial: Trial) {
      pair = trial.pair
      seeds = trial.seeds
    }
  }

  private static func median(_ values: [Double]) -> Double {
    let sorted = values.sorted()
    return sorted.isEmpty ? 0 : ConfidenceInterval.quantile(sorted, 0.5)
  }
}

extension StudyPlan.Design {
  /// What some planted trials of several methods were made by; nil if there are none.
  fileprivate init?(_ trials: [Trial]) {
    let clusters = Clusters(trials)
    let pairs = Set(trials.map(\.pair)).count
    guard pairs > 0 else { return nil }
    self.init(
      families: clusters.families.count, organisms: clusters.organismCount,
      bases: clusters.bases.count, regimes: Double(pairs) / Double(clusters.organismCount))
  }
}
