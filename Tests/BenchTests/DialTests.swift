import Foundation
import Organisms
import Reporting
import Scoring
import TestSupport
import Testing

@testable import Bench
@testable import Diffing

/// Plants that are diluted and aged.
@Suite("Dials")
struct DialTests {
  private func trial(
    _ organism: String, _ regime: String, rank: Double, seed: UInt64 = 0, isInstalled: Bool = true
  ) -> Trial {
    Trial(
      key: "k", method: "activation-difference-lens", access: .unrelated, subject: organism,
      family: "f", regime: regime, recipe: "fresh", seed: seed, role: .planted, match: nil,
      isInstalled: isInstalled, answersWhether: true, magnitude: 1, evidence: "e",
      scores: [
        "what": .scored(0.5, chance: 0.04, details: ["classRank": rank, "classChance": 10])
      ],
      cost: Trial.Cost(
        seconds: 1, tokensForward: 1, tokensBackward: 0, tokensShared: 0, peakMemory: 1),
      provenance: Trial.Provenance(pair: "p", sources: "s", openBLASCore: "c", kernels: "k"))
  }

  @Test("a dial is read off the name that the regime gives itself")
  func names() {
    #expect(Dial(ofRegime: Regime.fresh.diluted(0.3).id).label == "1:0.3")
    #expect(Dial(ofRegime: Regime.fresh.diluted(16).id).label == "1:16")
    #expect(Dial(ofRegime: Regime.settled.aged(5).id).label == "x5")
    for name in ["fresh", "distilled-old", "lora-1-drift", "x-ray", "1to"] {
      #expect(Dial(ofRegime: name) == .own, "\(name)")
    }
    #expect(Set(Dial.all).count == Dial.all.count && !Dial.all.contains(.own))
  }

  @Test("each plant is compared with itself, where both are installed")
  func pairs() throws {
    let trials = [
      trial("a", "fresh", rank: 2), trial("a", "fresh-1to16", rank: 8),
      // Without one of its own, and not installed: neither counts.
      trial("b", "fresh-1to16", rank: 100),
      trial("c", "fresh", rank: 100, isInstalled: false), trial("c", "fresh-1to16", rank: 100),
      trial("a", "fresh", rank: 4, seed: 1), trial("a", "fresh-1to16", rank: 6, seed: 1),
    ]
    let table = DialTable(trials, DialTable.classShare)
    let dial = Dial(ofRegime: "fresh-1to16")
    let pair = try #require(table.pair("activation-difference-lens (unrelated)", at: dial))
    #expect(abs(pair.own - 0.3) < 1e-12 && abs(pair.there - 0.7) < 1e-12 && pair.count == 2)
    #expect(table.table("t").rows[0].contains("+0.40 (2)"))
    let claims = PublishedClaims(trials).claims
    #expect(claims.first { $0.text.hasSuffix("mixed with base text") }?.isReproduced == true)
    #expect(BenchReport(trials, title: "t").markdown.contains("## Along the dials"))
  }

  @Test("the tier of dials runs one organism of a family, in its own regime and along the dials")
  func grid() throws {
    let library = try Library(Fixtures.repository.appending(path: "Organisms"))
    let grid = try Grid(library, tier: .dials)
    let plants = grid.subjects.compactMap { subject -> (String, String)? in
      guard case .organism(let organism, let regime) = subject else { return nil }
      return (organism.file.family, regime.id)
    }
    #expect(plants.count == grid.subjects.count, "no nulls")
    for (family, own) in Dictionary(grouping: plants, by: \.0) {
      #expect(own.filter { Dial(ofRegime: $0.1) == .own }.count == 1, "\(family)")
      #expect(Set(own.map(\.1)).count == own.count && own.count > 2, "\(family)")
    }
  }
}
