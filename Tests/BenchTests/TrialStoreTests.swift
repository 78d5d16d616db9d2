@testable import Bench
import Diffing
import Foundation
import JSON
import Organisms
import Scoring
import TestSupport
import Testing

@Suite("Trials and the ledger")
struct TrialStoreTests {
  static func trial(
    _ key: String, what: Double? = 0.5, magnitude: Double? = 1, isNull: Bool = false,
    core: String = "Haswell"
  ) -> Trial {
    Trial(
      key: key, method: "weight-norm", access: .weights, subject: isNull ? "null" : "organism",
      family: "test", regime: "fresh", recipe: "fresh", seed: 0, role: isNull ? .narrow : .planted,
      match: nil,
      isInstalled: true, answersWhether: true, magnitude: magnitude, evidence: "e",
      scores: what.map { ["what": .scored($0, chance: 0.1)] } ?? ["what": .unscored("no")],
      cost: Trial.Cost(
        seconds: 1, tokensForward: 2, tokensBackward: 0, tokensShared: 0, peakMemory: 3),
      provenance: Trial.Provenance(pair: "p", sources: "s", openBLASCore: core, kernels: "avx2"))
  }

  @Test("trials survive being written and read")
  func roundTrip() throws {
    try Fixtures.withTemporaryFolder { folder in
      let url = folder.appending(path: "trials.jsonl")
      let trials = [Self.trial("a"), Self.trial("b", what: nil, magnitude: nil)]
      let store = try TrialStore(url, sources: "s")
      for trial in trials { try store.append(trial) }
      let again = try TrialStore(url, sources: "s")
      #expect(again.trial("a") == trials[0])
      #expect(again.trial("b") == trials[1])
      #expect(again.trial("c") == nil)
      #expect(try TrialStore(url, sources: "other").trial("a") == nil)
      #expect(try TrialStore(url, sources: "s").trial("a") == trials[0], "nothing is thrown away")
    }
  }

  @Test("stores that are open at once keep each other's trials, and cut off a line torn meanwhile")
  func shared() throws {
    try Fixtures.withTemporaryFolder { folder in
      let url = folder.appending(path: "trials.jsonl")
      let one = try TrialStore(url, sources: "s"), other = try TrialStore(url, sources: "s")
      try one.append(Self.trial("a"))
      try other.append(Self.trial("b"))
      let torn = try Data(contentsOf: url)
      try (torn + Data("{\"key\":".utf8)).write(to: url)
      try other.append(Self.trial("c"))
      try one.append(Self.trial("d"))
      let all = try TrialStore(url, sources: "s")
      for key in ["a", "b", "c", "d"] { #expect(all.trial(key) == Self.trial(key)) }
    }
  }

  @Test("a line that was torn by a kill is cut off, wherever it was torn", arguments: [1, 40, 200])
  func torn(bytes: Int) throws {
    try Fixtures.withTemporaryFolder { folder in
      let url = folder.appending(path: "trials.jsonl")
      try TrialStore(url, sources: "s").append(Self.trial("a"))
      let whole = try Data(contentsOf: url)
      try (whole + whole.prefix(bytes)).write(to: url)
      let store = try TrialStore(url, sources: "s")
      #expect(store.trial("a") == Self.trial("a"))
      try store.append(Self.trial("b"))
      let lines = try String(contentsOf: url, encoding: .utf8).split(separator: "\n")
      #expect(lines.count == 2)
      for line in lines {
        #expect(throws: Never.self) {
          try JSON.decode(Trial.self, from: Data(line.utf8), file: "trials.jsonl")
        }
      }
    }
  }

  @Test("a store that cannot be written is an error")
  func unwritable() throws {
    try Fixtures.withTemporaryFolder { folder in
      let file = folder.appending(path: "file")
      try Data().write(to: file)
      #expect(throws: (any Error).self) {
        try TrialStore(file.appending(path: "trials.jsonl"), sources: "s")
      }
    }
  }

  @Test("a ledger widens over machines and survives being written and read")
  func ledger() throws {
    let first = Ledger([Self.trial("a", what: 0.4)])
    let both = Ledger([Self.trial("a", what: 0.6, core: "SkylakeX")], widening: first)
    let cell = Self.trial("a").cell
    #expect(both.cells[cell]?["what"] == Ledger.Interval(low: 0.4, high: 0.6))
    #expect(both.machines.map(\.openBLASCore) == ["Haswell", "SkylakeX"])
    try Fixtures.withTemporaryFolder { folder in
      let url = folder.appending(path: "ledger.json")
      try both.write(to: url)
      #expect(try Ledger.read(url)?.cells == both.cells)
      #expect(try Ledger.read(folder.appending(path: "none.json")) == nil)
    }
  }

  @Test("an unscored question enters no mean")
  func means() {
    let summary = BenchSummary([
      Self.trial("a", what: 0.4), Self.trial("b", what: nil), Self.trial("c", what: 0.8),
      Self.trial("d", what: nil, magnitude: 0.5, isNull: true),
    ])
    #expect(summary.methods.count == 1)
    let what = summary.methods[0].means[.what]
    #expect(abs((what?.value ?? 0) - 0.6) < 1e-12)
    #expect(what?.count == 2)
    #expect(summary.methods[0].means[.when] == nil)
    #expect(summary.methods[0].whether?.area == 1)
  }
}
