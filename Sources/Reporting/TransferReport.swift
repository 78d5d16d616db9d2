package import Bench
internal import Diffing
internal import Organisms
internal import Statistics

/// The page on whether a ranking of methods on models of one size holds on those of another.
package struct TransferReport {
  private typealias Pair = (first: NamedRun, second: NamedRun, transfer: RankingTransfer)

  private let runs: [NamedRun]
  /// Every two runs, compared.
  private let pairs: [Pair]

  /// - Parameter runs: Two or more, called by the size that they were made at, the smallest models first.
  package init(_ runs: [NamedRun]) {
    self.runs = runs
    pairs = runs.indices.flatMap { b in
      runs.indices.filter { $0 < b }.map { a in
        (runs[a], runs[b], RankingTransfer(runs[a].trials, runs[b].trials))
      }
    }
  }

  /// The aim between two sizes.
  private static let aim = 0.7

  /// The page without its heading.
  package var text: String {
    ([inventory, Self.legend, overview]
      + pairs.filter { $0.second.name == runs.last?.name }.map(part)
      + [leaders])
      .joined(separator: "\n\n")
  }

  private static let legend = Prose.wrapped(
    """
    Of each method a figure is the mean over the families that both runs have an installed plant of; who answers in one \
    of both runs alone is at chance in the other. Spearman's and Kendall's (tau-b) correlation of these figures over \
    methods; in brackets 95 % intervals over 2000 draws of families, the same in both runs, and of each run's own \
    organisms and bases. Draws add noise to both lists, so intervals reach further down than up.
    """)

  private var inventory: String {
    TextTable(
      header: ["run", "bases", "plants", "installed", "null pairs", "methods"],
      rows: runs.map { run in
        let summary = BenchSummary(developmentOf: run.trials)
        let plants = summary.trials.filter { !$0.isNull }
        func pairs(_ trials: [Trial]) -> Int { Set(trials.map { "\($0.pair) \($0.seeds)" }).count }
        return [
          run.name, "\(summary.bases.count)", "\(pairs(plants))",
          "\(pairs(plants.filter(\.isInstalled)))",
          "\(pairs(summary.trials.filter(\.isNull)))", "\(summary.methods.count)",
        ]
      }
    ).fitted
  }

  /// Spearman's correlation between every two sizes, question by question and level by level.
  private var overview: String {
    let rows = Question.allCases.flatMap { question in
      AccessLevel.allCases.compactMap { access -> [String]? in
        let agreements = pairs.map { $0.transfer.agreement(question, access) }
        guard agreements.contains(where: { $0 != nil }) else { return nil }
        return [question.rawValue, access.rawValue]
          + agreements.map { Prose.number($0?.spearman?.value) }
      }
    }
    let names = pairs.map { "\($0.first.name), \($0.second.name)" }
    return "## Between every two sizes (Spearman)\n\n"
      + TextTable(header: ["question", "from"] + names, rows: rows, names: 2).fitted
  }

  private func part(_ pair: Pair) -> String {
    let transfer = pair.transfer
    let title = "## \(pair.first.name) and \(pair.second.name)\n\n"
    guard !transfer.families.isEmpty else { return title + "No family is installed in both." }
    let below = transfer.agreements.filter { ($0.spearman?.value ?? 1) < Self.aim }.count
    let head =
      "Families in both: \(transfer.families.joined(separator: ", ")). Below \(Prose.number(Self.aim, 1)): "
      + "\(below) of \(transfer.agreements.count) rows."
    return title
      + ([Prose.wrapped(head), table(transfer).fitted] + moved(pair)).joined(separator: "\n\n")
  }

  private func table(_ transfer: RankingTransfer) -> TextTable {
    TextTable(
      header: ["question", "from", "methods", "Spearman", "Kendall"],
      rows: transfer.agreements.map { agreement in
        [
          agreement.question.rawValue, agreement.access.rawValue,
          "\(agreement.methods.count)",
        ]
          + [agreement.spearman, agreement.kendall].map {
            $0.map { IntervalText($0.value, $0.interval).text } ?? "-"
          }
      }, names: 2)
  }

  private static let shownMoves = 10

  /// The methods whose places among those of their level that answer a question differ most.
  private func moved(_ pair: Pair) -> [String] {
    let moves = pair.transfer.agreements.flatMap { agreement in
      agreement.methods.map {
        (agreement.question, $0, $0.shift(among: agreement.methods.count))
      }
    }.filter { $0.2 != 0 }.sorted { abs($0.2) > abs($1.2) }.prefix(Self.shownMoves)
    guard !moves.isEmpty else { return [] }
    return [
      Prose.wrapped(
        "Farthest apart: places among the methods of the level that answer the question, 1 is the best."
      ),
      TextTable(
        header: ["method", "question", pair.first.name, "place", pair.second.name, "place"],
        rows: moves.map { question, method, _ in
          [
            "\(method.row)", question.rawValue, Prose.number(method.first),
            Prose.number(method.firstPlace, 1), Prose.number(method.second),
            Prose.number(method.secondPlace, 1),
          ]
        }, names: 2
      ).fitted,
    ]
  }

  /// The best of each level of access, run by run.
  private var leaders: String {
    let summaries = runs.map { BenchSummary(developmentOf: $0.trials) }
    let rows = Question.allCases.flatMap { question in
      AccessLevel.allCases.compactMap { access -> [String]? in
        let best = summaries.map { summary in
          summary.methods(at: access).compactMap { method in
            method.mean(question).map { (method.row.method, $0) }
          }.max { $0.1 < $1.1 }
        }
        guard best.contains(where: { $0 != nil }) else { return nil }
        return [question.rawValue, access.rawValue]
          + best.map { $0.map { "\($0.0) \(Prose.short($0.1, 2))" } ?? "-" }
      }
    }
    return "## The best of each level of access\n\n"
      + TextTable(header: ["question", "from"] + runs.map(\.name), rows: rows, names: 2).fitted
  }
}
