internal import Diffing
internal import Statistics

/// What the scatter of scores comes from, as a table.
struct VarianceTable {
  private let shares: VarianceShares

  init(_ shares: VarianceShares) { self.shares = shares }

  static let legend = Prose.wrapped(
    """
    The standard deviation of a trial's score over the trials of a method, and in % the share of its variance that each \
    part has, both summed over the methods of the level. cell: an organism under its regime on its base; planting and \
    draw: the seeds of the planting and of the method ('-': nothing was repeated with another one, so that it is in \
    the part before).
    """)

  var text: String { table.fitted }

  var table: TextTable {
    TextTable(
      header: ["question", "level", "deviation"] + VarianceSplit.Part.allCases.map(\.rawValue),
      rows: shares.rows.map { row in
        [row.question.rawValue, row.access.rawValue, Prose.number(row.deviation)]
          + VarianceSplit.Part.allCases.map { part in
            Prose.number(row.shares[part].map { 100 * $0 }, 0)
          }
      }, names: 2)
  }
}
