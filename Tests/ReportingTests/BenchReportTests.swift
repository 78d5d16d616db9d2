import Worlds
import Bench
import Diffing
import Foundation
import Organisms
import Reporting
import Scoring
import Statistics
import TestSupport
import Testing
import Transformers

/// What people see.
@Suite("Reports")
struct BenchReportTests {
  private func trial(
    _ method: String = "sampling", base: UInt64 = 0, role: PairRole = .planted,
    magnitude: Double? = nil, what: Double? = nil, figures: [Figure: Double] = [:],
    failures: [String] = []
  ) -> Trial {
    .sample(
      method: method, access: .sampling, subject: "style", base: base, role: role,
      failures: failures, magnitude: magnitude,
      scores: what.map { [.what: .scored($0, chance: 0.04, figures: figures)] } ?? [:],
      tokensForward: 20)
  }

  @Test("means by organism are over its bases")
  func organisms() {
    let trials = [0.2, 0.4, 0.9].enumerated().map { trial(base: UInt64($0), what: $1) }
    let report = BenchReport(trials, title: "t")
    #expect(report.organismTable(.what, .sampling)?.rows == [["style@fresh", ".50"]])
    #expect(report.organismTable(.when, .sampling) == nil)
  }

  @Test("header, row and legend of a table come from its columns")
  func columns() {
    let trials = [trial(what: 0.5, figures: [.firstRank: 3.25])]
    let group = ColumnGroup(
      title: "t",
      columns: [
        Column("half", "half of what", .plain { $0.mean(.what).map { $0 / 2 } }),
        Column(
          "rank", "first rank", decimals: 1, isScore: false,
          .mean { $0.reading(.firstRank, of: .what) }),
        Column("nothing", "what nobody says", .mean { $0.reading(.when) }),
      ])
    let table = MethodTable(group, BenchSummary(trials).methods).table
    #expect(table.header == ["method", "half", "rank"], "a column that nobody fills is left out")
    #expect(table.rows == [["sampling", "0.25", "3.2"]])
    #expect(MethodTable.legend(group).hasPrefix("half: half of what. rank: first rank."))
  }

  @Test("a plant that is not installed is named with its figures")
  func notInstalled() {
    let report = BenchReport(
      [trial(), trial(base: 1, failures: ["behavior is 0.1, should be at least 0.9"])], title: "t")
    #expect(
      report.notInstalled == ["style@fresh on base-1: behavior is 0.1, should be at least 0.9"])
    #expect(report.terminal.contains("not installed, so not scored: style@fresh on base-1"))
  }

  @Test("no line of a report is wider than a page, whatever the methods are called")
  func width() {
    let names = (0..<14).map { "method-with-a-long-name-\($0)" }
    let trials = names.flatMap { name in
      [
        trial(name, magnitude: 2, what: 0.5), trial(name, role: .broad, magnitude: 1),
        trial(name, base: 1, magnitude: 2, what: 0.123),
      ]
    }
    let report = BenchReport(trials, title: "t")
    for text in [report.markdown, report.terminal] {
      let widest = text.split(separator: "\n").max { $0.count < $1.count } ?? ""
      #expect(widest.count <= TextTable.width, "\(widest)")
    }
  }

  @Test("a table that is too wide stands in parts, each with its names")
  func fitted() {
    let table = TextTable(
      header: ["row"] + (0..<30).map { "column \($0)" },
      rows: [["a"] + (0..<30).map(String.init)])
    let parts = table.fitted.components(separatedBy: "\n\n")
    #expect(parts.count > 2)
    #expect(parts.allSatisfy { $0.hasPrefix("| row") })
    let shown = parts.flatMap { $0.split(separator: "\n")[2].split(separator: "|").dropFirst() }
    #expect(shown.map { $0.trimmingCharacters(in: .whitespaces) } == (0..<30).map(String.init))
  }

  @Test("every kind of exhibit has lines, with words for tokens")
  func exhibits() throws {
    let tokenizer = try Library(
      Fixtures.repository.appending(path: "Organisms"), models: Fixtures.models
    ).world.tokenizer
    let token = tokenizer.specialTokens.count + 3, word = tokenizer.word(token)
    let text = ExhibitText(tokenizer: tokenizer, prompts: TokenBatch([[token]]))
    let contents: [(Exhibit.Content, String)] = [
      (.table(columns: ["token", "z"], rows: [[.token(token), .number(0.123456)]]), "| \(word)"),
      (.table(columns: ["a", "b"], rows: [["text", .none]]), "| text |   - |"),
      (.heatMap(rows: ["a"], columns: ["b", "c"], values: [[0, -2]]), "-█ -2"),
      (.curves(axis: "block", points: ["0"], lines: [.init("norm", [0.5])]), "| norm"),
      (.spectrum([.init("s", [2, 1])]), "s  █"),
      (.strip(tokens: [token], values: [1]), "\(word)█"),
      (.tokens([.init("list", [token])]), "list  \(word)"),
      (.inputs([InputClaim(row: 0, score: 1.5)]), "1.5  \(word)"),
      (.texts([.init([token, token], score: 2)]), "2  \(word) \(word)"),
    ]
    for (content, expected) in contents {
      let lines = text.lines(Exhibit("title", content))
      #expect(lines.first == "title")
      #expect(lines.contains { $0.contains(expected) }, "\(lines)")
    }
  }
}
