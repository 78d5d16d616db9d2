internal import Bench
package import Diffing

/// What the scatter of scores comes from, question by question and level by level.
package struct VarianceShares: Sendable {
  /// One question at one level of access.
  package struct Row: Sendable {
    package let question: Question
    package let access: AccessLevel
    /// The standard deviation of a trial's score over the trials of a method: the root of the mean variance.
    package let deviation: Double
    /// Each part's share of the variance, both summed over methods; nil where trials never differ in it alone.
    package let shares: [VarianceSplit.Part: Double]
  }

  package let rows: [Row]

  /// - Parameter summary: A run.
  package init(_ summary: BenchSummary) {
    rows = summary.byQuestionAndLevel(Self.row)
  }

  private static func row(
    _ question: Question, _ access: AccessLevel, _ methods: [MethodSummary]
  ) -> Row? {
    let splits = methods.compactMap { method in
      method.reading(question).flatMap { VarianceSplit(method.installed, $0) }
    }
    let total = splits.reduce(0) { $0 + $1.total }
    guard total > 0 else { return nil }
    var shares: [VarianceSplit.Part: Double] = [:]
    for part in VarianceSplit.Part.allCases {
      let known = splits.compactMap { $0.variances[part] }
      if !known.isEmpty { shares[part] = known.reduce(0, +) / total }
    }
    return Row(
      question: question, access: access,
      deviation: (total / Double(splits.count)).squareRoot(), shares: shares)
  }
}
