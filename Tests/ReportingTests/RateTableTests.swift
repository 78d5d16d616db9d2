import Bench
import Diffing
import Scoring
import Statistics
import TestSupport
import Testing

@testable import Reporting

@Suite("Rates by the hierarchical model")
struct RateTableTests {
  private func summary(_ methods: [(String, Double)]) -> BenchSummary {
    var trials: [Trial] = []
    for (method, share) in methods {
      for plant in 0..<20 {
        let isRecovered = Double(plant) < share * 20
        trials.append(
          .sample(
            method: method, access: .pool, subject: "o\(plant)", family: "f\(plant / 2)",
            magnitude: nil, scores: [.when: .scored(isRecovered ? 0.9 : 0.1, chance: 0.1)]))
      }
    }
    return BenchSummary(trials)
  }

  @Test("rates stand in the order of the methods, pairs in that of the rates")
  func tables() throws {
    let settings = SamplerSettings(warmup: 300, draws: 300)
    let table = RateTable(summary([("poor", 0.1), ("good", 0.9)]), .pool, settings)
    #expect(table.table.header == ["rates of pool", "when"])
    #expect(table.table.rows.map { $0[0] } == ["poor", "good"])
    let pairs = try #require(table.pairs(.when))
    #expect(pairs.rows.map { $0[0] } == ["1 good", "2 poor"])
    #expect(Double(pairs.rows[0][2])! > 0.95 && Double(pairs.rows[1][1])! < 0.05)
    #expect(table.pairs(.what) == nil)
    #expect(RateTable(summary([("one", 0.5)]), .pool, settings).text == nil, "one has no rival")
  }

  @Test("chains that are too short are said to be")
  func warnings() throws {
    let table = RateTable(
      summary([("poor", 0.1), ("good", 0.9)]), .pool, SamplerSettings(warmup: 100, draws: 20))
    #expect(try #require(table.text).contains("when: sampled too short to be relied on"))
  }
}
