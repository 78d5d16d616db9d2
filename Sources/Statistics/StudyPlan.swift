internal import Bench
package import Diffing

/// How many organisms and bases a run needs for a difference between two methods to be seen, and what a finished run
/// could have seen.
///
/// From the parts of the variance of the difference between two methods, pair by pair of a level of access: families weigh
/// equally, so Var = family / F + organism · Σ (1 / n_f) / F² + base / B + cell · Σ (1 / t_f) / F², for F families with n_f
/// organisms and t_f trials each, on B bases. A difference is seen in four of five runs if it is t + 0.84 standard errors, t
/// Student's at F − 1 degrees. What is reported is the median over pairs of methods.
package struct StudyPlan: Sendable {
  /// What a run consists of.
  package struct Design: Equatable, Sendable {
    package let families, organisms, bases: Int
    /// Σ (1 / n_f) / F² and Σ (1 / t_f) / F².
    let organismShare, cellShare: Double

    /// What is drawn from: families, or organisms if all are of one family.
    var witnesses: Int { families > 1 ? families : organisms }

    /// The same mix of families, with other numbers of organisms and bases.
    func scaled(organisms: Int, bases: Int) -> Design {
      let growth = Double(organisms) / Double(self.organisms)
      return Design(
        families: families == 1 ? 1 : max(2, Int((Double(families) * growth).rounded(.down))),
        organisms: organisms, bases: bases, organismShare: organismShare / growth,
        cellShare: cellShare / growth * Double(self.bases) / Double(bases))
    }
  }

  /// One question at one level of access.
  package struct Row: Sendable {
    package let question: Question
    package let access: AccessLevel
    package let design: Design
    /// The parts of the variance of the difference, for each pair of methods.
    let splits: [VarianceSplit]

    /// How many pairs of methods there are.
    package var pairs: Int { splits.count }

    /// The least difference that four runs of five of a design see.
    ///
    /// - Parameters:
    ///   - design: The run's own if not given.
    ///   - comparisons: How many differences are looked at: Holm's first step divides the error by it.
    package func leastDifference(_ design: Design? = nil, comparisons: Int = 1) -> Double {
      let design = design ?? self.design
      let limit = StudentT.limit(
        twoSided: ConfidenceInterval.error / Double(comparisons), freedom: design.witnesses - 1)
      let errors = splits.map { $0.variance(design).squareRoot() }.sorted()
      return (limit + StudyPlan.powerQuantile) * ConfidenceInterval.quantile(errors, 0.5)
    }

    /// How many organisms see a difference that is looked at alone, families growing with them.
    ///
    /// - Returns: Nil if a thousand do not, or if the run had one base and others are asked for: then nothing is known of
    ///   how bases differ.
    package func organisms(for gap: Double, bases: Int) -> Int? {
      guard design.bases > 1 || bases == 1 else { return nil }
      return (2...1000).first {
        leastDifference(design.scaled(organisms: $0, bases: bases)) <= gap
      }
    }
  }

  /// The standard normal number that 80 % lie below.
  static let powerQuantile = 0.8416

  package let rows: [Row]

  /// - Parameter summary: A finished run.
  package init(_ summary: BenchSummary) {
    rows = summary.byQuestionAndLevel(Self.row)
  }

  private static func row(
    _ question: Question, _ access: AccessLevel, _ methods: [MethodSummary]
  ) -> Row? {
    let splits = methods.indices.flatMap { a in
      methods.indices.filter { $0 > a }.compactMap { split(methods[a], methods[$0], question) }
    }
    let trials = methods.first.map { method in
      method.installed.filter { method.reading(question)?($0) != nil }
    }
    guard let design = Design(trials ?? []), design.witnesses > 1, !splits.isEmpty else {
      return nil
    }
    return Row(question: question, access: access, design: design, splits: splits)
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
}

extension StudyPlan.Design {
  /// What the trials of a method were made by; nil if there are none.
  fileprivate init?(_ trials: [Trial]) {
    let clusters = Clusters(trials)
    guard !trials.isEmpty else { return nil }
    let families = Dictionary(grouping: trials, by: \.family).values
    let square = Double(families.count * families.count)
    self.init(
      families: clusters.families.count, organisms: clusters.organismCount,
      bases: clusters.bases.count,
      organismShare: clusters.families.reduce(0) { $0 + 1 / Double($1.count) } / square,
      cellShare: families.reduce(0) { $0 + 1 / Double($1.count) } / square)
  }
}

extension VarianceSplit {
  /// The variance of a mean over a design.
  fileprivate func variance(_ design: StudyPlan.Design) -> Double {
    func part(_ part: Part) -> Double { variances[part] ?? 0 }
    return part(.family) / Double(design.families) + part(.organism) * design.organismShare
      + part(.base) / Double(design.bases)
      + (part(.cell) + part(.planting) + part(.draw)) * design.cellShare
  }
}
