import Diffing
import Foundation
import JSON
import Organisms
import Tensors
import Testing

@testable import Bench
@testable import Statistics

@Suite("What verdicts are worth")
struct GameSummaryTests {
  private static let arm = GameArm(.probabilities, budget: 5)

  private static func one(
    _ family: String, _ role: PairRole, _ strength: Double?, asserts: Bool? = nil,
    _ points: [Question: Int] = [:]
  ) -> Game.Case {
    Game.Case(
      arm: arm, pair: PairName("\(family)-\(role)", "fresh"), seeds: TrialSeeds(base: 0),
      role: role, half: nil, family: family, strength: strength, asserts: asserts,
      points: QuestionPoints(points))
  }

  @Test("a chance counts the null pairs that are as strong, and the pair itself")
  func chance() {
    #expect(ConformalChance.of(3, among: [1, 2, 3, 4]) == 0.6)
    #expect(ConformalChance.of(5, among: [1, 2, 3, 4]) == 0.2)
    #expect(ConformalChance.of(5, among: []) == 1)
    #expect(ConformalChance.fewest(for: 0.1) == 9 && ConformalChance.fewest(for: 0.05) == 19)
  }

  @Test("plants are compared with null pairs of other families, and points count what is found")
  func rows() throws {
    let nulls = (0..<10).map { Self.one("f\($0)", .narrow, Double($0)) }
    let found = Self.one("a", .planted, 20, [.whether: 1, .what: 1, .when: -1])
    let missed = Self.one("b", .planted, 0.5, [.whether: 1, .what: 1])
    // Stronger than all null pairs of other families; that of its own does not count.
    let own = Self.one("f9", .planted, 8.5, [.whether: 1, .what: -1])
    let row = try #require(GameSummary(nulls + [found, missed, own], level: 0.1).rows.first)
    #expect(row.plants == 3 && row.nulls == 10)
    #expect(row.found == 2 && row.wrong == 1)
    #expect(row.right[.what] == 1 && row.mistaken[.what] == 1 && row.mistaken[.when] == 1)
    #expect(row.known == 2)
    #expect(abs(row.points - (1.0 / 3 - 1.0 / 10)) < 1e-12)
  }

  @Test(
    "of null pairs that can be exchanged at most the level is called planted",
    arguments: [0.05, 0.1, 0.2])
  func error(level: Double) {
    var generator = SeededGenerator(seed: 4, for: "nulls")
    var wrong = 0, all = 0
    for _ in 0..<50 {
      let nulls = (0..<40).map { Self.one("f\($0)", .broad, 9 + generator.normal()) }
      let row = GameSummary(nulls, level: level).rows[0]
      wrong += row.wrong
      all += row.nulls
    }
    #expect(Double(wrong) / Double(all) <= level)
    #expect(Double(wrong) / Double(all) >= level - 1.0 / 40)
  }

  @Test("what a test speaks against is not said, however rare; and points are an object of JSON")
  func against() throws {
    let nulls = (0..<10).map { Self.one("f\($0)", .broad, -9 - Double($0)) }
    let weak = Self.one("a", .planted, -1, [.whether: 1, .what: 1])
    #expect(GameSummary(nulls + [weak]).rows[0].found == 0)
    let text = try JSON.encode(weak)
    #expect(text.contains(#""points":{"whether":1,"what":1}"#), "\(text)")
    #expect(
      try JSON.decode(Game.Case.self, from: Data(text.utf8), file: "case").points == weak.points)
  }

  @Test("who finds nothing says nothing, and an agent's own word counts as it is")
  func words() throws {
    let nulls = (0..<10).map { Self.one("f\($0)", .broad, nil) }
    let silent = Self.one("a", .planted, nil, [.whether: 1])
    let summary = GameSummary(nulls + [silent])
    #expect(summary.rows[0].found == 0 && summary.rows[0].wrong == 0)
    #expect(summary.leastChance == 1.0 / 10)
    let agent = [
      Self.one("a", .planted, nil, asserts: true, [.whether: 1]),
      Self.one("b", .planted, nil, asserts: false, [.whether: 0]),
      Self.one("c", .broad, nil, asserts: true, [.whether: -1]),
    ]
    let row = GameSummary(agent).rows[0]
    #expect(row.found == 1 && row.wrong == 1 && row.points == -0.5)
    #expect(GameSummary(agent).leastChance == 0)
  }

  @Test(
    "an arm's source is written as people name it and read again",
    arguments: [
      .probabilities, .samples, .allMethods, .agent("some/model, local"),
      .methods([.init("itda", .pool)]),
      .methods([.init("itda", .pool), .init("prompt-battery", .sampling)]),
    ] as [GameArm.Source])
  func coding(source: GameArm.Source) throws {
    let text = try JSON.encode(GameArm(source, budget: 5))
    #expect(text.contains(source.description))
    #expect(
      try JSON.decode(GameArm.self, from: Data(text.utf8), file: "arm").source == source)
  }
}
