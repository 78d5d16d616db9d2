internal import Scoring
package import Bench
package import Diffing
internal import Organisms
package import Statistics

/// The results of a run as Markdown.
package struct BenchReport: Sendable {
  private let summary: BenchSummary
  /// The held-out half beside the other; nil if nothing was held out.
  private let halves: HalfComparison?
  /// Plants of both halves that are not installed, with the reasons.
  package let notInstalled: [String]
  /// How many pairs of both halves there are.
  private let counts: String
  private let title: String
  private let orderings: PublishedOrderings?
  /// What was said of plants that were taken out again.
  private let ghosts: GhostTable
  /// What has no trial, and why.
  private let failures: [String]

  /// What every report starts with, so that no other file is taken for one.
  package static let start = "# Assay"

  /// - Parameters:
  ///   - trials: Those of both halves.
  ///   - title: The heading.
  ///   - orderings: Published ones that are checked.
  ///   - failures: What has no trial, and why.
  package init(
    _ trials: [Trial], title: String, orderings: PublishedOrderings? = nil, failures: [String] = []
  ) {
    self.orderings = orderings
    summary = BenchSummary(developmentOf: trials)
    halves = HalfComparison(trials)
    let all = BenchSummary(trials)
    notInstalled = all.notInstalled
    ghosts = GhostTable(trials)
    counts = Self.counts(all, heldOut: all.plants.count - summary.plants.count)
    self.title = title
    self.failures = failures
  }

  /// The levels of access that methods worked at.
  private var levels: [AccessLevel] {
    AccessLevel.allCases.filter { !summary.methods(at: $0).isEmpty }
  }

  /// A table a level of access, each under its name.
  package func tables(_ group: ColumnGroup) -> [TextTable] {
    levels.map {
      MethodTable(
        group, summary.methods(at: $0), beside: summary.dummies(at: $0),
        heading: "from \($0.rawValue)"
      ).table
    }.filter { $0.header.count > 1 }
  }

  private func section(_ group: ColumnGroup, level: String) -> [String] {
    ["\(level) \(group.title)"] + tables(group).map(\.fitted) + [MethodTable.legend(group)]
  }

  private static let silence = Prose.wrapped(
    """
    '-' means that the method never answers; where it answers some pairs only, the others count as chance. \
    Families of plants count alike, however many organisms they have. The last rows of a table are dummies, \
    answers that need no method; \(MethodTable.mark) stands behind a figure that the best of them reaches.
    """)

  // MARK: By organism

  /// One question's mean scores at a level of access, organism by organism; nil if nobody answers.
  package func organismTable(_ question: Question, _ access: AccessLevel) -> TextTable? {
    let methods = summary.methods(at: access).filter { $0.mean(question) != nil }
    guard !methods.isEmpty, question != .whether else { return nil }
    let rows = summary.plants.compactMap { plant -> [String]? in
      let scores = methods.map { summary.scores(question, $0.row, on: plant) }
      guard scores.contains(where: { !$0.isEmpty }) else { return nil }
      return ["\(plant)"] + scores.map { SpreadText($0).mean }
    }
    return TextTable(
      header: ["\(question.rawValue) from \(access.rawValue)"] + methods.map(\.row.method),
      rows: rows)
  }

  private var organismTables: [String] {
    Question.allCases.flatMap { question in
      levels.compactMap { organismTable(question, $0)?.fitted }
    }
  }

  // MARK: Along the dials

  private var dials: [String] {
    guard DialComparison.areTurned(in: summary.trials) else { return [] }
    let readings: [(String, DialComparison.Reading)] = [
      ("class place", DialComparison.classPlace), ("what", DialComparison.precision),
    ]
    return ["## Along the dials", Self.dialLegend]
      + readings.map { DialTable(DialComparison(summary.trials, $0.1), title: $0.0).table.fitted }
      + limits
  }

  private var limits: [String] {
    let table = DetectionLimitTable(summary, .what)
    return [
      "## Limits of detection", DetectionLimitTable.legend, table.table.fitted,
      table.families(.mix).fitted, table.families(.age).fitted,
    ]
  }

  private static let dialLegend = Prose.wrapped(
    """
    The mean in the organisms' own regimes, and how far it moves where they are diluted (1:4 is four base \
    documents to a planted one) and aged (x5 is five times as many steps). Each plant is compared with itself, \
    over those that are installed at both ends (in brackets, how many). Class place: 1 is \
    best and 0 is chance; what: average precision.
    """)

  private var lottery: [String] {
    LotteryTable(summary.trials).map { ["## By recipe", $0.text] } ?? []
  }

  private var published: [String] {
    guard let orderings else { return [] }
    let findings = orderings.findings(summary.trials)
    return orderings.orderings.isEmpty
      ? [] : ["## Published orderings", OrderingList(orderings, findings).text]
  }

  // MARK: Whole

  private static func counts(_ all: BenchSummary, heldOut: Int) -> String {
    let bases = all.bases.count, half = heldOut > 0 ? ", \(heldOut) of them held out," : ""
    return "\(all.plants.count) planted pairs\(half) and \(all.nulls.count) null pairs on each of "
      + "\(bases) " + (bases == 1 ? "base." : "bases.")
  }

  private func skipped(_ mark: String) -> [String] {
    let reasons =
      notInstalled.map { "not installed, so not scored: \($0)" }
      + failures.map { "no answer: \($0)" }
    let lines = reasons.map { Prose.wrapped("\(mark)\($0)", indent: "  ") }
    return lines.isEmpty ? [] : [lines.joined(separator: "\n")]
  }

  /// The whole report.
  package var markdown: String {
    let sections: [[String]] = [
      ["# \(title)", counts],
      ColumnGroup.all.flatMap { section($0, level: "##") }, [Self.silence], skipped("- "), dials,
      lottery,
      ghosts.text.map { ["## Ghosts", $0] } ?? [],
      halves.map { ["## The held-out half", HalfTable($0).text] } ?? [],
      published,
      ["## What can be told apart", IntervalTable.legend],
      levels.map { IntervalTable(summary, $0).text },
      [
        "## What the scatter comes from", VarianceTable.legend,
        VarianceTable(VarianceShares(summary)).text,
      ],
      section(.floors, level: "##"),
      ["## By organism", "Means over the bases; `*.jsonl` has every trial."], organismTables,
    ]
    return sections.joined().joined(separator: "\n\n") + "\n"
  }

  /// What a terminal shows.
  package var terminal: String {
    (ColumnGroup.all.flatMap { section($0, level: "#") } + [Self.silence] + skipped(""))
      .joined(separator: "\n\n")
  }
}
