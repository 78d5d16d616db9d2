internal import Bench
internal import Diffing
internal import Foundation
package import Statistics

/// A gate as a page: the verdict, what moved, and everything else folded.
package struct GateText {
  private let gate: Gate

  package init(_ gate: Gate) { self.gate = gate }

  /// One sentence: what came out, and of how much.
  package var verdict: String {
    let counts = Self.counted.map { "\(gate.checks($0.verdict).count) \($0.word)" }
      .joined(separator: ", ")
    let runs = gate.runCount == 1 ? "1 run" : "\(gate.runCount) runs"
    let head =
      switch gate.outcome {
      case .pass: "The gate passes"
      case .regression: "The gate fails: scores fell by more than noise"
      case .rise: "The gate fails: scores rose, and --strict asks that they are blessed"
      case .notMeasured: "The gate cannot tell: not everything was measured"
      }
    return "\(head). \(gate.checks.count) figures over \(runs): \(counts)."
  }

  private static let counted: [(verdict: Gate.Verdict, word: String)] = [
    (.held, "held"), (.fell, "fell"), (.silent, "not answered any more"), (.rose, "rose"),
    (.notMeasured, "not measured"),
  ]

  /// What the reader has to know besides.
  package var notes: [String] {
    var notes: [String] = []
    for machine in gate.unknownMachines {
      notes.append("Nothing was blessed on the kernels \(machine); the margins leave room for it.")
    }
    if !gate.scope.isOfAllOrganisms {
      notes.append(
        "Of some organisms only cells are judged: no figure over all plants, and not whether.")
    }
    if gate.confirmationCount > 0 {
      notes.append(
        "What was low was run with \(gate.confirmationCount) more method seeds, and the mean over all runs decided."
      )
    }
    let blind = gate.checks.filter(\.isBlind)
    if !blind.isEmpty {
      let means = blind.filter { $0.cell == nil }.count
      notes.append(
        "\(blind.count - means) cells and \(means) figures over all plants go so far apart by themselves that they may "
          + "come down to nothing (of whether, to chance) and are not seen to fall; more runs see more (--repeat)."
      )
    }
    if gate.newCells > 0 {
      notes.append(
        "\(gate.newCells) cells are new to the ledger and are not judged: './assay bless' accepts them."
      )
    }
    let rises = gate.checks(.rose).count
    if rises > 0 {
      notes.append(
        "\(rises) figures rose. Until './assay bless' accepts them, they may fall back to what was blessed unseen."
      )
    }
    notes += gate.failures.prefix(10).map { "Not measured: \(Prose.plain($0))." }
    if gate.failures.count > 10 { notes.append("And \(gate.failures.count - 10) more.") }
    return notes.map { Prose.wrapped($0) }
  }

  /// A few checks, one a row.
  static func table(_ checks: some Sequence<Gate.Check>, verdicts: Bool = false) -> TextTable {
    TextTable(
      header: ["figure", "plant"] + (verdicts ? ["verdict"] : [])
        + ["blessed", "least", "now", "held in"],
      rows: checks.map { check in
        [
          "\(check.question.rawValue) \(check.row)", check.cell.map { "\($0.pair)" } ?? "all",
        ] + (verdicts ? [check.verdict.rawValue] : []) + [
          range(check.expected), Prose.number(check.lowest),
          check.verdict == .silent ? "silent" : Prose.number(check.value),
          check.passShare.map { percent($0) } ?? "-",
        ]
      }, names: verdicts ? 3 : 2)
  }

  private static func range(_ expected: Ledger.Expectation) -> String {
    let low = Prose.number(expected.low), high = Prose.number(expected.high)
    return low == high ? low : "\(low)–\(high)"
  }

  static func percent(_ share: Double) -> String { "\(Int((share * 100).rounded())) %" }

  /// What stands on a terminal.
  package var terminal: String {
    let shown = [
      part("Fell", gate.regressions), part("Not measured", gate.checks(.notMeasured)),
      part("Rose", gate.checks(.rose)),
    ]
    return ([Prose.wrapped(verdict)] + shown.flatMap(\.self) + notes).joined(separator: "\n\n")
  }

  /// How many rows of a kind are shown before the rest is counted.
  private static let shownRows = 20

  private func part(_ title: String, _ checks: [Gate.Check]) -> [String] {
    guard !checks.isEmpty else { return [] }
    let more =
      checks.count > Self.shownRows ? ["And \(checks.count - Self.shownRows) more."] : []
    return ["\(title):", Self.table(checks.prefix(Self.shownRows)).fitted] + reasons(checks) + more
  }

  private func reasons(_ checks: [Gate.Check]) -> [String] {
    let reasons = Set(checks.filter { $0.verdict == .notMeasured }.compactMap(\.reason)).sorted()
    return reasons.prefix(5).map { Prose.wrapped("Not measured: \(Prose.plain($0)).") }
  }

  /// What the page starts with, so that no other file is taken for one.
  package static let start = "## Assay gate"

  /// The whole page as Markdown.
  package var markdown: String {
    let methods = gate.checks.filter { $0.cell == nil }
    let folded = """
      <details><summary>The figures of each method over all plants</summary>

      \(Self.table(methods, verdicts: true).text)

      </details>
      """
    return Self.start + "\n\n" + terminal + "\n\n" + (methods.isEmpty ? "" : folded + "\n\n")
      + Self.legend + "\n"
  }

  /// The same, cut at the end of a line where a step's summary would refuse it.
  package var summary: String {
    let text = markdown, limit = Self.summaryLimit
    guard text.utf8.count > limit else { return text }
    var kept = 0
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false).prefix { line in
      kept += line.utf8.count + 1
      return kept <= limit
    }
    return lines.joined(separator: "\n") + "\n\nThe rest was cut off: gate.md has all of it.\n"
  }

  /// GitHub takes a mebibyte a step.
  private static let summaryLimit = 900_000

  private static let legend = Prose.wrapped(
    """
    Blessed: what './assay bless' accepted, a mean over method seeds, lowest and highest of the machines. Least: what it may fall to \
    by its margin and by noise between method seeds, as a mean over the runs. Held in: the share of the runs, each with a \
    method seed of its own, that would have held alone. 'all' is a method's figure over all plants.
    """)
}
