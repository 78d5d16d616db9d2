internal import Diffing
package import Statistics

/// What a run could see, and what one would need to see a difference.
package struct PlanTable {
  private let plan: StudyPlan
  private let gap: Double

  /// - Parameters:
  ///   - plan: From a finished run.
  ///   - gap: The difference that is to be seen.
  package init(_ plan: StudyPlan, gap: Double) {
    self.plan = plan
    self.gap = gap
  }

  private static let bases = [3, 6]

  package var table: TextTable {
    TextTable(
      header: ["question", "level", "families", "organisms", "bases", "seen now"]
        + Self.bases.map { "on \($0) bases" },
      rows: plan.rows.map { row in
        [
          row.question.rawValue, row.access.rawValue, "\(row.design.families)",
          "\(row.design.organisms)", "\(row.design.bases)",
          Prose.number(row.leastDifference(row.design)),
        ]
          + Self.bases.map { bases in
            row.organisms(for: gap, bases: bases).map { "\($0)" } ?? "over 1000"
          }
      }, names: 2)
  }

  package var text: String {
    [
      table.fitted,
      Prose.wrapped(
        """
        Families, organisms and bases: what the run had for a question. Seen now: the least difference between two \
        methods of the level that four such runs of five would see, the scatter being that of the median pair of \
        methods. On 3 bases, on 6 bases: how many organisms it takes to see \(Prose.number(gap)), the families growing \
        with them.
        """),
    ].joined(separator: "\n\n")
  }
}
