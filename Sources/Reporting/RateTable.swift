internal import Bench
package import Diffing
package import Statistics

/// How often the methods of one level of access recover a plant, by the hierarchical model.
package struct RateTable {
  private let methods: [MethodSummary]
  private let access: AccessLevel
  private let posteriors: [(question: Question, posterior: MethodPosterior)]

  /// - Parameters:
  ///   - summary: A run.
  ///   - access: The level.
  ///   - settings: How long is sampled.
  package init(_ summary: BenchSummary, _ access: AccessLevel, _ settings: SamplerSettings) {
    self.access = access
    let methods = summary.methods(at: access)
    self.methods = methods
    posteriors = Question.allCases.compactMap { question in
      MethodPosterior(question, methods, settings: settings).map { (question, $0) }
    }
  }

  /// What the tables say.
  package static let legend = Prose.wrapped(
    "A plant is recovered if its score is at the question's mark: "
      + Question.allCases.compactMap { question in
        Ledger.marks[question].map { "\(question.rawValue) \(Prose.number($0))" }
      }.joined(separator: ", ")
        + """
        . Each cell: the rate at an organism of a family that nobody has seen, with its central 95 %, and in % how \
        probably no other method's rate is higher. From a binomial model of all methods of the level together, with \
        effects of method, family, organism and method at organism (after HiBayES, arXiv 2505.05602).
        """)

  /// Rates, then what is to be known of the sampling; nil if no two methods answer a question.
  package var text: String? {
    posteriors.isEmpty ? nil : ([table.fitted] + warnings).joined(separator: "\n\n")
  }

  package var table: TextTable {
    TextTable(
      header: ["rates of \(access.rawValue)"] + posteriors.map(\.question.rawValue),
      rows: methods.filter { method in
        posteriors.contains { $0.posterior.rows.contains { $0.row == method.row } }
      }.map { method in [method.row.method] + posteriors.map { cell($0.posterior, method.row) } })
  }

  private func cell(_ posterior: MethodPosterior, _ row: MethodAtAccess) -> String {
    guard let own = posterior.rows.first(where: { $0.row == row }) else { return "-" }
    let best = Int((posterior.probabilityOfBest(own) * 100).rounded())
    return IntervalText(own.rate, own.interval).text + (best < 1 ? "    " : " \(best)%")
  }

  /// Where the chains are not to be trusted.
  private var warnings: [String] {
    posteriors.filter { !$0.posterior.diagnostics.isSound }.map { question, posterior in
      let own = posterior.diagnostics
      return Prose.wrapped(
        "\(question.rawValue): sampled too short to be relied on: r-hat \(Prose.number(own.rHat, 3)) (below 1.01 is "
          + "sound), \(Int(own.sampleSize)) effective draws (400), \(own.divergences) divergences (none), BFMI "
          + "\(Prose.number(own.missingInformation)) (above 0.20). --draws takes more.")
    }
  }

  /// The probability that each method of a question is above each other one, the best first; nil if no two methods
  /// answer it.
  package func pairs(_ question: Question) -> TextTable? {
    guard let posterior = posteriors.first(where: { $0.question == question })?.posterior else {
      return nil
    }
    let rows = posterior.rows
    return TextTable(
      header: ["\(question.rawValue) of \(access.rawValue): row above column"]
        + rows.indices.map { "\($0 + 1)" },
      rows: rows.enumerated().map { place, row in
        ["\(place + 1) \(row.row.method)"]
          + rows.map {
            $0.row == row.row ? "" : Prose.number(posterior.probability(row, above: $0))
          }
      })
  }
}
