import Tensors
import Bench
import Diffing
import Foundation
import Scoring
import Statistics
import TestSupport
import Testing

@Suite("The ledger and means")
struct LedgerTests {
  private func trial(
    what: Double?, magnitude: Double = 1, role: PairRole = .planted, core: String = "Haswell",
    base: UInt64 = 0
  ) -> Trial {
    .sample(
      base: base, role: role, magnitude: magnitude,
      scores: [.what: what.map { .scored($0, chance: 0.1) } ?? .unanswered("no", chance: 0.3)],
      core: core)
  }

  @Test("a ledger widens over machines and survives being written and read")
  func ledger() throws {
    let first = Ledger([trial(what: 0.4)])
    let both = Ledger([trial(what: 0.6, core: "SkylakeX")], widening: first)
    let cell = trial(what: 0.4).cell
    #expect(both.expectations(cell).mapValues { [$0.low, $0.high] } == [.what: [0.4, 0.6]])
    #expect(both.machines.map(\.openBLASCore) == ["Haswell", "SkylakeX"])
    #expect(both.plants == ["organism@fresh base-0"] && both.nulls.isEmpty)
    try Fixtures.withTemporaryFolder { folder in
      let url = folder.appending(path: "ledger.json")
      try both.write(to: url)
      #expect(try Ledger.read(url)?.expectations(cell) == both.expectations(cell))
      #expect(try Ledger.read(folder.appending(path: "none.json")) == nil)
    }
  }

  @Test("a method that is blessed alone leaves what was blessed of the others")
  func alone() {
    func trial(_ method: String, _ what: Double, core: String) -> Trial {
      .sample(method: method, base: 0, scores: [.what: .scored(what, chance: 0.1)], core: core)
    }
    let first = Ledger([trial("old", 0.4, core: "Haswell"), trial("new", 0.1, core: "Haswell")])
    let both = Ledger([trial("new", 0.6, core: "SkylakeX")], keeping: first)
    func figures(_ ledger: Ledger, _ method: String) -> [Double]? {
      ledger.expectations(trial(method, 0, core: "").cell)[.what].map { [$0.low, $0.high] }
    }
    #expect(figures(both, "old") == [0.4, 0.4] && figures(both, "new") == [0.6, 0.6])
    #expect(both.machines.map(\.openBLASCore) == ["Haswell", "SkylakeX"])
    let widened = Ledger(
      [trial("new", 0.6, core: "SkylakeX")], widening: first, keeping: first)
    #expect(figures(widened, "old") == [0.4, 0.4] && figures(widened, "new") == [0.1, 0.6])
    #expect(widened.methods.keys.sorted() == first.methods.keys.sorted())
  }

  @Test("silence counts as chance, and the mean of what was answered stands beside it")
  func means() {
    let summary = BenchSummary([
      trial(what: 0.4), trial(what: nil), trial(what: 0.8),
      trial(what: nil, magnitude: 0.5, role: .narrow),
    ])
    let there = ColumnGroup.coverage.columns[1]
    #expect(summary.methods.count == 1)
    #expect(abs((summary.methods[0].mean(.what) ?? 0) - 0.5) < 1e-12)
    #expect(abs((there.figure(summary.methods[0]) ?? 0) - 0.6) < 1e-12)
    #expect(summary.methods[0].coverage(.what) == 2.0 / 3)
    #expect(summary.methods[0].answered(.what) == (2, 3))
    #expect(summary.methods[0].mean(.when) == nil)
    #expect(summary.methods[0].calibrated(\.area) == 1)
  }

  @Test("a plant that is not installed takes its null pairs along")
  func missing() {
    let plant = PairName("organism", "fresh")
    func trials(_ failures: [String]) -> [Trial] {
      [
        .sample(base: 0, failures: failures, magnitude: 5),
        .sample(subject: "other", base: 0, magnitude: 2),
        .sample(subject: "null", base: 0, role: .narrow, match: plant, magnitude: 9),
        .sample(
          subject: "null", base: 0, role: .narrow, match: PairName("other", "fresh"), magnitude: 1),
      ]
    }
    #expect(BenchSummary(trials([])).methods[0].calibrated(\.area) == 0.5)
    #expect(BenchSummary(trials(["no"])).methods[0].calibrated(\.area) == 1)
  }

  @Test("families count alike, whatever the number of their organisms")
  func families() {
    func trial(_ family: String, _ subject: String, _ what: Double) -> Trial {
      .sample(subject: subject, family: family, scores: [.what: .scored(what, chance: 0)])
    }
    let summary = BenchSummary([
      trial("taboo", "a", 1), trial("taboo", "b", 1), trial("taboo", "c", 1),
      trial("style", "d", 0),
    ])
    #expect(summary.methods[0].mean(.what) == 0.5)
  }

  @Test("a plant is compared with its own null pairs, and with those of all plants of its regime")
  func ownNulls() {
    func null(_ plant: String, _ magnitude: Double, _ role: PairRole = .narrow) -> Trial {
      .sample(
        subject: "null-\(plant)", base: 0, role: role, match: PairName(plant, "fresh"),
        magnitude: magnitude)
    }
    let trials: [Trial] = [
      .sample(subject: "short", base: 0, magnitude: 2), null("short", 1),
      .sample(subject: "long", base: 0, magnitude: 9), null("long", 8),
    ]
    let whether = BenchSummary(trials).methods[0]
    #expect(whether.mean(.whether) == 1)
    #expect(whether.calibrated(\.area) == 0.75)
    // A benign null is made for one plant of a regime, so that it counts among all of them alone.
    let benign = BenchSummary(trials + [null("short", 20, .broad)]).methods[0]
    #expect(benign.mean(.whether) == 1 && benign.calibrated(\.area) == 0.5)
    let novel = BenchSummary(trials + [null("short", 20, .novel)]).methods[0]
    #expect(novel.mean(.whether) == 0.75)
  }

  @Test("dummies are no methods, and a figure that one reaches is marked")
  func dummies() {
    func trial(_ method: String, _ what: Double) -> Trial {
      .sample(method: method, access: .pool, scores: [.what: .scored(what, chance: 0)])
    }
    let summary = BenchSummary([
      trial("lens", 0.2), trial("steering", 0.4), trial("constant-dummy", 0.3),
    ])
    #expect(summary.methods.map(\.row.method) == ["lens", "steering"])
    // What looks at no text was run once, and stands in the table of every level.
    for access in AccessLevel.allCases {
      #expect(summary.dummies(at: access).map(\.row.method) == ["constant-dummy"])
    }
    let column = ColumnGroup.answers.columns[0]
    #expect(
      summary.methods.map { column.isBeaten($0, by: summary.dummies(at: .pool)) } == [true, false])
  }

  @Test("a ledger that no run wrote is refused, and what blessing changes is said")
  func changes() throws {
    func ledger(_ what: [String: Double]) -> Ledger {
      Ledger(
        what.sorted { $0.key < $1.key }.map {
          .sample(subject: $0.key, scores: [.what: .scored($0.value, chance: 0)])
        })
    }
    let before = ledger(["a": 0.2, "b": 0.5, "c": 0.9])
    let changes = ledger(["a": 0.25, "b": 0.9, "c": 0.4, "d": 1]).changes(from: before)
    #expect(changes.new == 1 && changes.gone == 0)
    #expect(changes.moves.map { $0.name.contains(" c@") ? "c" : "b" } == ["c", "b"])
    #expect(before.changes(from: before).moves.isEmpty)
    try Fixtures.withTemporaryFolder { folder in
      let url = folder.appending(path: "ledger.json")
      try before.write(to: url)
      let text = try String(contentsOf: url, encoding: .utf8)
      for (old, new, reason) in [
        ("\"what\"", "\"waht\"", "which is no question"),
        ("\"low\": 0.2", "\"low\": 0.3", "goes from 0.3 to 0.2"),
        ("\"low\": 0.2", "\"low\": 0.1", "its digest is not that of its lines"),
        ("\"methodSeeds\": 1", "\"methodSeeds\": 5", "its digest is not that of its lines"),
        ("\"version\": 2", "\"version\": 1", "of another version"),
        ("weight-norm@weights a@fresh base-0", "weight-norm", "is no method@access"),
      ] {
        try Data(text.replacing(old, with: new).utf8).write(to: url)
        let error = #expect(throws: LedgerError.self) { try Ledger.read(url) }
        #expect("\(error!)".contains(reason), "\(error!)")
      }
    }
  }
}
