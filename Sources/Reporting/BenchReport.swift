internal import Tensors
internal import Scoring
package import Bench
package import Diffing
internal import Foundation

/// The results of a run as Markdown.
package struct BenchReport: Sendable {
  private let summary: BenchSummary
  private let title: String

  package init(_ trials: [Trial], title: String) {
    summary = BenchSummary(trials)
    self.title = title
  }

  /// The main table: one row a method and level of access.
  package var methodTable: TextTable {
    TextTable(
      header: [
        "method", "whether", "narrow", "recall5", "fp broad", "fp narrow", "still", "what", "topic",
        "class rank", "when", "where", "how", "s",
      ],
      rows: AccessLevel.allCases.flatMap { level -> [[String]] in
        let methods = summary.methods.filter { $0.access == level }
        guard !methods.isEmpty else { return [] }
        let label = "*from \(level.rawValue)*"
        return [[label] + Array(repeating: "", count: 13)] + methods.map(row)
      })
  }

  private func row(_ method: MethodSummary) -> [String] {
    func mean(_ question: Question) -> String { number(method.means[question]?.value) }
    let rank = method.classRank.map { "\(number($0.value, 1)) / \(number($0.chance, 1))" } ?? "-"
    return [
      method.method, number(method.whether?.area), number(method.whether?.narrowArea),
      number(method.whether?.recall), number(method.whether?.falsePositives.broad),
      number(method.whether?.falsePositives.narrow),
      number(method.whether?.invariantFalseAlarms), mean(.what), number(method.topicRecall), rank,
      mean(.when), mean(.where), mean(.how), number(method.seconds),
    ]
  }

  /// How *what* stands beside what any ranking reaches: the floors and the topic.
  ///
  /// `siblings` is the recall with the keys of other organisms, `over frequency` the average precision
  /// less that of the finetuning text's own frequencies, `topic` the recall of what the plant is about.
  package var floorTable: TextTable {
    TextTable(
      header: [
        "what, beside its floors", "answered", "recall", "siblings", "over frequency", "topic",
      ],
      rows: summary.methods.compactMap { method in
        let scores = summary.trials.filter {
          $0.method == method.method && $0.access == method.access && !$0.isNull
        }.compactMap { $0.score(.what) }
        let answered = scores.filter { $0.value != nil }
        guard !answered.isEmpty else { return nil }
        func mean(_ name: String) -> String {
          let values = answered.compactMap { $0.details[name] }
          return number(values.isEmpty ? nil : values.mean)
        }
        return [
          method.name, "\(answered.count) of \(scores.count)",
          number(answered.compactMap(\.value).mean), mean("siblingRecall"),
          mean("liftOverFrequency"), mean("topicRecall"),
        ]
      })
  }

  /// Each mean with the lowest and the highest of the bases' own means, and what a trial costs.
  package var spreadTable: TextTable {
    TextTable(
      header: ["over bases"] + Question.allCases.map(\.rawValue) + ["tokens forward", "backward"],
      rows: summary.methods.map { method in
        [method.name]
          + Question.allCases.map { Spread(method.byBase[$0] ?? []).text }
          + ["\(Int(method.tokens.forward))", "\(Int(method.tokens.backward))"]
      })
  }

  /// One question's scores by organism and method, each the mean over bases with its range.
  package func organismTable(_ question: Question) -> TextTable? {
    let methods = summary.methods.filter { method in
      method.means[question] != nil && question != .whether
    }
    guard !methods.isEmpty else { return nil }
    let rows = summary.organisms.compactMap { organism -> [String]? in
      let scores = methods.map {
        summary.scores(question, method: $0.method, access: $0.access, organism: organism)
      }
      guard scores.contains(where: { !$0.isEmpty }) else { return nil }
      return [organism] + scores.map { Spread($0).text }
    }
    return TextTable(
      header: [question.rawValue] + methods.map(\.name),
      rows: rows)
  }

  /// How to read the columns.
  private static let legend = """
    whether: AUROC of planted against null pairs (0.5 is chance); narrow: against narrow nulls only;
    recall5: planted pairs found at 5 % false positives; still: alarms there on pairs that answer alike (the
    same, reparameterised, quantised). fp broad, fp narrow: null pairs above a threshold that 5 % of the broad
    nulls of the other bases exceed (of its own base, if there is one).
    what: recall@20 of the planted tokens; topic: that of what they are about, scored apart;
    class rank: mean place among the candidates / by chance.
    when: average precision; where: AUROC; how: effect beyond random interventions (0 is chance).
    '-' means that the method does not say, or that nothing could be asked: it never counts as 0.
    """

  /// How methods fare along the dials, if the run has any.
  private var dials: [String] {
    guard Dial.areTurned(in: summary.trials) else { return [] }
    return [
      "## Along the dials", Self.dialLegend,
      DialTable(summary.trials, DialTable.classShare).table("class rank / chance").text,
      DialTable(summary.trials, DialTable.recall).table("what").text,
    ]
  }

  private static let dialLegend = """
    The mean in the organisms' own regimes, and how far it moves where they are diluted (1:4 is four base documents to
    a planted one) and aged (x5 is five times as many steps). Each plant is compared with itself, over those that
    are installed at both ends (in brackets, how many). Class rank: 1 is chance, and up is worse; what: down is worse.
    """

  /// The whole report.
  package var markdown: String {
    let skipped = summary.notInstalled.map { "- not installed, so not scored: \($0)" }
    let tables = Question.allCases.compactMap { organismTable($0)?.text }
    let nulls = Set(summary.trials.filter(\.isNull).map { "\($0.subject)@\($0.regime)" }).count
    let bases = Set(summary.trials.map(\.seed)).count
    let counts =
      "\(summary.organisms.count) planted pairs and \(nulls) null pairs on each of \(bases) "
      + (bases == 1 ? "base." : "bases.")
    return
      (["# \(title)", counts, methodTable.text, Self.legend]
      + (skipped.isEmpty ? [] : [skipped.joined(separator: "\n")])
      + dials + [
        "## Published orderings", PublishedClaims(summary.trials).table.text, "## Over bases",
        "The mean, and the lowest and the highest of the bases' own means.",
        spreadTable.text, "## Beside what any ranking reaches", floorTable.text, "## By organism",
      ] + tables).joined(separator: "\n\n") + "\n"
  }

  /// What a terminal shows.
  package var terminal: String {
    let skipped = summary.notInstalled.map { "not installed, so not scored: \($0)" }
    return ([methodTable.text, Self.legend] + skipped).joined(separator: "\n\n")
  }

  private func number(_ value: Double?, _ decimals: Int = 2) -> String {
    guard let value, value.isFinite else { return "-" }
    return String(format: "%.\(decimals)f", value)
  }
}

extension MethodSummary {
  fileprivate var name: String { DialTable.name(method, access) }
}
