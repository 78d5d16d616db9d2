import Foundation
import Organisms
import Reporting
import TestSupport
import Testing
import Transformers

@testable import Bench
@testable import Diffing
@testable import Scoring

/// What people see.
@Suite("Reports")
struct ReportTests {
  private func trial(
    _ method: String, _ access: AccessLevel, family: String = "style", recipe: String = "fresh",
    seed: UInt64 = 0, role: PairRole = .planted, magnitude: Double? = nil, what: Double? = nil,
    details: [String: Double] = [:]
  ) -> Trial {
    Trial(
      key: "k", method: method, access: access, subject: family, family: family, regime: recipe,
      recipe: recipe, seed: seed, role: role, match: nil, isInstalled: true, answersWhether: true,
      magnitude: magnitude, evidence: "e",
      scores: what.map { ["what": .scored($0, chance: 0.04, details: details)] } ?? [:],
      cost: Trial.Cost(
        seconds: 1, tokensForward: 20, tokensBackward: 0, tokensShared: 10, peakMemory: 3),
      provenance: Trial.Provenance(pair: "p", sources: "s", openBLASCore: "c", kernels: "k"))
  }

  @Test("means stand beside the lowest and the highest base")
  func spread() {
    let trials = [0.2, 0.4, 0.9].enumerated().map { seed, what in
      trial("sampling", .sampling, seed: UInt64(seed), what: what)
    }
    let summary = BenchSummary(trials)
    #expect(summary.methods[0].byBase[.what] == [0.2, 0.4, 0.9])
    let report = BenchReport(trials, title: "t")
    #expect(report.spreadTable.rows[0][2] == ".50 (.20–.90)")
    #expect(report.spreadTable.rows[0][6] == "20")
    #expect(report.organismTable(.what)?.rows == [["style@fresh", ".50 (.20–.90)"]])
  }

  @Test("false positives are measured at a threshold of the other bases")
  func falsePositives() {
    let trials = [UInt64(0), 1].flatMap { seed in
      [
        trial("sampling", .sampling, seed: seed, magnitude: 9, what: 1),
        trial("sampling", .sampling, seed: seed, role: .broad, magnitude: Double(seed)),
        trial("sampling", .sampling, seed: seed, role: .narrow, magnitude: 5),
      ]
    }
    let rates = BenchSummary(trials).methods[0].whether?.falsePositives
    #expect(rates?.broad == 0.5)
    #expect(rates?.narrow == 1)
  }

  @Test("a published ordering is reproduced, is not, or cannot be said")
  func claims() {
    func claim(_ lens: Double, _ mining: Double) -> PublishedClaims.Claim? {
      PublishedClaims([
        trial(
          "activation-difference-lens", .unrelated, what: 0, details: ["topicRecall": lens]),
        trial("diff-mining", .unrelated, what: 0, details: ["topicRecall": mining]),
      ]).claims.first { $0.text.hasPrefix("diff mining") }
    }
    #expect(claim(0.1, 0.3)?.isReproduced == true)
    #expect(claim(0.3, 0.1)?.isReproduced == false)
    #expect(PublishedClaims([]).claims.allSatisfy { $0.isReproduced == nil })
  }

  @Test("every kind of exhibit has lines, with words for tokens")
  func exhibits() throws {
    let tokenizer = try Library(Fixtures.repository.appending(path: "Organisms")).world.tokenizer
    let token = tokenizer.specialCount + 3, word = tokenizer.word(token)
    let text = ExhibitText(tokenizer: tokenizer, prompts: TokenBatch([[token]]))
    let contents: [(Exhibit.Content, String)] = [
      (.table(columns: ["token", "z"], rows: [["#\(token)", "0.123456"]]), "| \(word)"),
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
