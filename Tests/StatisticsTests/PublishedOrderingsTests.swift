import Bench
import Diffing
import Foundation
import JSON
import Organisms
import Scoring
import Statistics
import TestSupport
import Testing

@Suite("Published orderings")
struct PublishedOrderingsTests {
  private func trial(
    _ method: String, _ topic: Double, _ organism: Int, standard: String = "fresh",
    dial: Dial? = nil
  ) -> Trial {
    .sample(
      method: method, access: .unrelated, subject: "o\(organism)", family: "f\(organism)",
      standard: standard, dial: dial,
      scores: [.what: .scored(topic, chance: 0.04, figures: [.topicPrecision: topic])])
  }

  private func orderings(_ more: String, _ less: String, isPaired: Bool = false) throws
    -> PublishedOrderings
  {
    try JSON.decode(
      PublishedOrderings.self,
      from: Data(
        """
        {"margin": 0.05, "orderings": [{"claim": "c", "source": "s", "access": "unrelated",
          "isPaired": \(isPaired), "more": \(more), "less": \(less)}]}
        """.utf8), file: "orderings")
  }

  @Test(
    "an ordering holds, fails or is not clear, by its interval",
    arguments: [
      ([0.3, 0.4, 0.35, 0.3, 0.4, 0.3], PublishedOrderings.Verdict.holds),
      ([-0.2, -0.3, -0.2, -0.25, -0.3, -0.2], .fails),
      // Certain, and less than the margin.
      ([0.03, 0.02, 0.03, 0.02, 0.03, 0.02], .fails),
      ([0.5, -0.4, 0.6, -0.3, 0.4, -0.1], .notClear),
    ])
  func verdicts(differences: [Double], verdict: PublishedOrderings.Verdict) throws {
    let trials = differences.enumerated().flatMap { index, difference in
      [trial("diff-mining", 0.5 + difference, index), trial("lens", 0.5, index)]
    }
    let own = try orderings(
      #"{"method": "diff-mining", "figure": "topic"}"#, #"{"method": "lens", "figure": "topic"}"#)
    let finding = try #require(own.findings(trials).first)
    #expect(finding.verdict == verdict)
    #expect(own.findings(trials.filter { $0.row.method == "lens" }).isEmpty, "it cannot be said")
  }

  @Test("a paired ordering compares organisms that both sides have, each with itself")
  func pairs() throws {
    var trials = (0..<6).flatMap {
      [trial("m", 0.6, $0), trial("m", 0.3, $0, dial: .age(5))]
    }
    // Without the other side: neither counts.
    trials += [trial("m", 90, 6), trial("m", -90, 7, dial: .age(5))]
    let own = try orderings(
      #"{"method": "m", "figure": "topic"}"#,
      #"{"method": "m", "figure": "topic", "dial": "x5"}"#, isPaired: true)
    let finding = try #require(own.findings(trials).first)
    #expect(abs(finding.more - 0.6) < 1e-9 && abs(finding.less - 0.3) < 1e-9)
    #expect(finding.verdict == .holds)
  }

  @Test("the committed orderings name methods, levels and figures that there are")
  func committed() throws {
    let url = Fixtures.repository.appending(path: "Fixtures/orderings.json")
    let own = try #require(try PublishedOrderings.read(url))
    #expect(own.orderings.count >= 15 && own.margin == 0.05)
    let ledger = try String(
      contentsOf: Fixtures.repository.appending(path: "Fixtures/ledger.json"), encoding: .utf8)
    for ordering in own.orderings {
      for side in [ordering.more, ordering.less] {
        #expect(ledger.contains("\"\(side.method)@\(ordering.access.rawValue)"), "\(side.method)")
      }
    }
  }

  @Test("a figure that there is not is an error that names those that there are")
  func unknown() throws {
    let url = FileManager.default.temporaryDirectory.appending(
      path: "orderings-\(UUID().uuidString).json")
    defer { try? FileManager.default.removeItem(at: url) }
    let text =
      #"{"margin": 0.1, "orderings": [{"claim": "c", "source": "s", "access": "pool", "#
      + #""more": {"method": "m", "figure": "wat"}, "less": {"method": "m", "figure": "what"}}]}"#
    try Data(text.utf8).write(to: url)
    let error = #expect(throws: PublishedOrderingError.self) { try PublishedOrderings.read(url) }
    #expect("\(error!)".contains("there is no figure 'wat'. Did you mean 'what'?"))
    for (old, new, reason) in [
      ("wat", "narrow", "no two figures of one kind"),
      ("\"margin\": 0.1", "\"margin\": -1", "'margin'"),
    ] {
      let good = text.replacing("wat", with: "what")
      try Data((old == "wat" ? text : good).replacing(old, with: new).utf8).write(to: url)
      let error = #expect(throws: PublishedOrderingError.self) { try PublishedOrderings.read(url) }
      #expect("\(error!)".contains(reason))
    }
  }
}
