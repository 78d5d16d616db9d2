internal import Bench
internal import Diffing
internal import Organisms
internal import Statistics

/// What methods say of the same plants by several recipes.
struct LotteryTable {
  private let summary: BenchSummary

  /// - Parameter trials: Those of a run.
  /// - Returns: Nil if no plant was planted by several recipes.
  init?(_ trials: [Trial]) {
    let own = trials.filter { trial in Lottery.recipes.contains { $0.id == trial.pair.regime } }
    guard !own.isEmpty else { return nil }
    summary = BenchSummary(own)
  }

  /// A row a method: the mean of *what* by recipe, and how far the recipes are apart.
  var text: String {
    let rows = summary.methods.filter { $0.mean(.what) != nil }.map { method -> [String] in
      let means = Lottery.recipes.map { method.plantMean(.what, regime: $0.id) }
      let known = means.compactMap { $0?.value }
      let range = (known.max() ?? 0) - (known.min() ?? 0)
      return [method.row.title]
        + means.map { $0.map { IntervalText($0.value, $0.interval).text } ?? "-" }
        + [Prose.number(range, 2)]
    }
    let names = Lottery.recipes.map { $0.id.replacing("lottery-", with: "") }
    return Self.legend + "\n\n"
      + TextTable(header: ["what"] + names + ["range"], rows: rows).fitted
  }

  private static let legend = Prose.wrapped(
    """
    Average precision of the planted words where the same plants were made by five recipes, each stopped at \
    the same score of the behaviour; range: the best recipe less the worst. In brackets 95 % intervals over draws of \
    four organisms and three bases.
    """)
}
