import Diffing
import Foundation
import JSON
import Organisms
import Scoring
import Statistics
import TestSupport
import Testing
import Transformers

@testable import Bench
@testable import Dashboard

@Suite("A run's page")
struct BenchPageTests {
  private static let commands = BenchPage.Commands(show: "show", bench: "bench")

  /// Two methods on three plants, one of them held out, and a null of the first, on two bases.
  private static let trials: [Trial] = [UInt64(0), 1].flatMap { base in
    ["first", "second"].flatMap { method in
      (0..<3).map { planted($0, method, base) } + [null(method, base)]
    }
  }

  private static func planted(_ plant: Int, _ method: String, _ base: UInt64) -> Trial {
    let score: Score =
      method == "first"
      ? .scored(0.25 * Double(plant + 1), chance: 0.01) : .unanswered("no", chance: 0.01)
    return .sample(
      "\(method) \(plant) \(base)", method: method, access: .unrelated,
      subject: "plant-\(plant)", family: "family-\(plant)",
      half: plant == 2 ? .heldOut : .development, base: base,
      magnitude: method == "first" ? 3 : nil, scores: [.what: score])
  }

  private static func null(_ method: String, _ base: UInt64) -> Trial {
    .sample(
      "\(method) null \(base)", method: method, access: .unrelated, subject: "null-0", base: base,
      role: .narrow, match: PairName("plant-0", "fresh"), magnitude: 1)
  }

  private func data(
    _ trials: [Trial], kept: KeptCells? = nil, rates: SamplerSettings? = nil,
    others: [NamedRun] = [], room: Int = BenchPage.room
  ) throws -> (JSONValue, String) {
    let html = try BenchPage(
      trials, title: "t", commands: Self.commands, kept: kept, rates: rates, others: others,
      room: room
    ).html()
    return (try PageTests.data(html), html)
  }

  @Test(
    "a cell of the map is the trial's score, chance where the method is silent, and the held-out half is not there"
  )
  func map() throws {
    let (data, _) = try data(Self.trials)
    #expect(
      data.at("grid", "plants").items.map { $0.at("organism") } == [
        .string("plant-0"), .string("plant-1"),
      ])
    #expect(data.at("heldOut") == .integer(1))
    #expect(data.at("grid", "seeds").items == [.string("base-0"), .string("base-1")])
    let what = try #require(
      data.at("grid", "questions").items.first { $0.at("title") == .string("what") })
    let cells = what.at("cells").items
    #expect(
      cells[0].items.map(\.items) == [
        [.integer(2500), .integer(2500)], [.integer(5000), .integer(5000)],
      ])
    // Who never answers has no row of cells.
    #expect(cells[1] == .null && what.at("rows").items[1] == .null)
    #expect(what.at("rows").items[0].at("mean") == .number(0.375))
  }

  /// Three methods whose scores are in an order, or in the opposite one.
  private func ranked(isTurned: Bool) -> [Trial] {
    ["a", "b", "c"].enumerated().flatMap { place, method in
      (0..<4).map { plant in
        let score = 0.2 + 0.3 * Double(isTurned ? 2 - place : place)
        return .sample(
          "\(method) \(plant)", method: method, access: .pool, subject: "plant-\(plant)",
          family: "family-\(plant)", scores: [.what: .scored(score, chance: 0.01)])
      }
    }
  }

  @Test("rates are sampled if they are asked for: the best first, with counts and intervals")
  func rates() throws {
    #expect(try data(ranked(isTurned: false)).0.at("rates").items.isEmpty)
    let (data, _) = try data(
      ranked(isTurned: false), rates: SamplerSettings(warmup: 200, draws: 200))
    let part = try #require(
      data.at("rates").items.first { $0.at("question") == .string("what") })
    #expect(part.at("access") == .string("pool") && part.at("mark") == .number(0.5))
    let rows = part.at("rows").items
    #expect(rows.map { $0.at("recovered") }.last == .integer(0))
    #expect(rows.prefix(2).allSatisfy { $0.at("recovered") == .integer(4) })
    #expect(rows.allSatisfy { $0.at("plants") == .integer(4) })
  }

  @Test("runs of other sizes rank methods alike, or the other way round")
  func transfer() throws {
    let runs = [false, true].map { NamedRun("turned \($0)", ranked(isTurned: $0)) }
    let (data, _) = try data(ranked(isTurned: false), others: runs)
    let found = data.at("transfer").items.map { run in
      run.at("rows").items.first { $0.at("question") == .string("what") }
    }
    #expect(found.map { $0?.at("spearman").at("value") } == [.integer(1), .integer(-1)])
    #expect(found[0]?.at("methods").items.map { $0.at("first") }.count == 3)
    #expect(data.at("transfer").items.map { $0.at("name") }.last == .string("turned true"))
  }

  @Test("magnitudes are there for plants and nulls, and a null names its plant")
  func magnitudes() throws {
    let (data, _) = try data(Self.trials)
    #expect(data.at("grid", "nulls").items.map { $0.at("match") } == [.integer(0)])
    #expect(
      data.at("grid", "magnitudes").items[0].items.map { $0.items[0] } == [
        .integer(3), .integer(3), .integer(1),
      ])
    #expect(data.at("coverage") == .null)
  }

  /// A checkout in which something is kept of every trial.
  private func withKept(_ body: (KeptCells) throws -> Void) throws {
    try Fixtures.withCheckout { root in
      let workshop = try Workshop(Project(root: root))
      for trial in Self.trials {
        var evidence = Evidence()
        evidence.tokens = [
          TokenClaim(token: 5, score: 2, sign: 1), TokenClaim(token: 6, score: 1, sign: -1),
        ]
        evidence.inputs = [InputClaim(row: 1, score: 0.5)]
        evidence.exhibits = [
          Exhibit("a text", .strip(tokens: [5, 6], values: [1, -2])),
          Exhibit(
            "a table", .table(columns: ["a"], rows: [[.token(6)], [.number(1.23456)], [.none]])),
        ]
        try workshop.evidence.open(trial.pair, digest: trial.versions.pair).append(
          CellEvidence(
            key: trial.key, cell: trial.cell, hyperparameters: .null, evidence: evidence,
            cost: trial.cost, versions: trial.versions))
      }
      try body(KeptCells(workshop))
    }
  }

  @Test("what was said is behind a cell, tokens as words and claims with how many there are")
  func said() throws {
    try withKept { kept in
      let (data, html) = try data(Self.trials, kept: kept)
      let cell = try PageTests.part("plant-0@fresh base-0", of: html).at("first@unrelated")
      let words = data.at("words").items
      func word(_ place: JSONValue) -> JSONValue? {
        if case .integer(let index) = place { words[Int(index)] } else { nil }
      }
      #expect(cell.at("said", "promoted", "count") == .integer(1))
      #expect(
        word(cell.at("said", "promoted", "first").items[0].items[0])
          == .string(kept.tokenizer.word(5))
      )
      #expect(cell.at("said", "inputs").items == [.array([.integer(1), .number(0.5)])])
      #expect(cell.at("scores", "what", "value") == .number(0.25))
      #expect(
        cell.at("exhibits").items.map { $0.at("kind") } == [.string("strip"), .string("table")])
      #expect(cell.at("exhibits").items[0].at("values").items == [.integer(1), .integer(-2)])
      #expect(cell.at("exhibits").items[1].at("rows").items[1].items == [.number(1.235)])
      // Exhibits of other bases would take much room and say little more.
      let other = try PageTests.part("plant-0@fresh base-1", of: html).at("first@unrelated")
      #expect(other.at("said") != .null && other.at("exhibits") == .null)
      #expect(data.at("coverage", "answers").items == [.integer(8), .integer(8)])
      #expect(data.at("pool").items.count == kept.pool.count)
    }
  }

  @Test(
    "what has no room is counted, what matters less first, and every figure of the map is there all the same"
  )
  func room() throws {
    try withKept { kept in
      let (all, _) = try data(Self.trials, kept: kept)
      let (some, _) = try data(Self.trials, kept: kept, room: 1500)
      #expect(some.at("coverage", "answers").items.last == .integer(8))
      guard case .integer(let shown) = some.at("coverage", "answers").items[0] else {
        return #expect(Bool(false))
      }
      #expect((1..<8).contains(shown))
      #expect(some.at("coverage", "nullExhibits").items[0] == .integer(0))
      #expect(some.at("grid") == all.at("grid"))
    }
  }
}
