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
      header: [
        "question", "level", "families", "organisms", "bases", "alone", "of all",
      ]
        + Self.bases.map { "on \($0) bases" },
      rows: plan.rows.map { row in
        [
          row.question.rawValue, row.access.rawValue, "\(row.design.families)",
          "\(row.design.organisms)", "\(row.design.bases)", Prose.number(row.leastDifference()),
          Prose.number(row.leastDifference(comparisons: row.pairs)),
        ] + Self.bases.map { needed(row, bases: $0) }
      }, names: 2)
  }

  private func needed(_ row: StudyPlan.Row, bases: Int) -> String {
    guard row.design.bases > 1 else { return "-" }
    return row.organisms(for: gap, bases: bases).map { "\($0)" } ?? "over 1000"
  }

  /// Nil if the run has no two methods that answer a question on two organisms.
  package var text: String? {
    plan.rows.isEmpty ? nil : [table.fitted, legend].joined(separator: "\n\n")
  }

  private var legend: String {
    Prose.wrapped(
      """
      Families, organisms and bases: what the run had for a question. Alone: the least difference between two \
      methods of the level that four such runs of five would see if no other was looked at, in the median over pairs \
      of methods; of all: if every pair of methods is (Holm's first step). On 3 bases, on 6 bases: how many \
      organisms it takes to see \(Prose.number(gap)) alone, the families growing with them ('-': one base says \
      nothing of others). What was seen in one family is about that family.
      """)
  }
}
