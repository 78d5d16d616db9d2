import Worlds
import Scoring
import Diffing
import Foundation
import Methods
import Organisms
import Synchronization
import TestSupport
import Testing
import Transformers

@testable import Bench

/// Running and judging, with what is kept between them.
@Suite("Kept evidence", .serialized)
struct EvidenceStoreTests {
  /// A checkout of its own: the sources and organisms of this one, and a cache that starts empty.
  private func withWorkshop(
    _ body: (Workshop, @escaping @Sendable () -> [String], URL) throws -> Void
  ) throws {
    try Fixtures.withTemporaryFolder { folder in
      let files = FileManager.default
      for name in ["Sources", "Organisms", "Fixtures"] {
        try files.copyItem(
          at: Fixtures.repository.appending(path: name), to: folder.appending(path: name))
      }
      let notices = Mutexed<[String]>([])
      try body(try workshop(folder, notices), { notices.value }, folder)
    }
  }

  private final class Mutexed<Value: Sendable>: Sendable {
    private let state: Mutex<Value>
    init(_ value: Value) { state = Mutex(value) }
    var value: Value { state.withLock { $0 } }
    func change(_ body: (inout Value) -> Void) { state.withLock { body(&$0) } }
  }

  private func workshop(_ folder: URL, _ notices: Mutexed<[String]> = Mutexed([])) throws
    -> Workshop
  {
    try Workshop(
      Project(root: folder), sources: SourceDigest(folder.appending(path: "Sources"))
    ) { text in notices.change { $0.append(text) } }
  }

  /// Runs two methods on one organism and its nulls; how many cells were measured now.
  private func run(
    _ workshop: Workshop, _ extent: BenchRun.Extent = .everything,
    methods: [String] = ["weight-norm", "weight-spectrum"]
  ) throws -> (trials: [Trial], new: Int) {
    let grid = try Grid(
      workshop.library, tier: .smoke, organisms: ["edited-capital"], methods: methods)
    let new = Mutexed(0)
    let trials = try BenchRun(workshop).run(grid, extent: extent, jobs: 1) { event in
      if case .finished(_, let count) = event { new.change { $0 += count } }
    }
    return (trials, new.value)
  }

  private func edit(_ path: String, in folder: URL) throws {
    let url = folder.appending(path: path)
    let text = try String(contentsOf: url, encoding: .utf8)
    try (text + "\n// One line more.\n").write(to: url, atomically: true, encoding: .utf8)
  }

  @Test("what is kept is not measured again; a method that was edited is, and no other")
  func edits() throws {
    try withWorkshop { first, _, folder in
      let (trials, new) = try run(first)
      #expect(new == trials.count && new > 4)
      #expect(try run(first).new == 0)
      // Scores come from what is kept, to the byte.
      #expect(try run(workshop(folder), .scoring).trials == trials)
      for (file, share) in [
        ("Sources/Methods/Methods/WeightNorm.swift", 0.5),
        ("Sources/Methods/Methods/Sampling.swift", 0),
        ("Sources/Scoring/Scorers/WhatScorer.swift", 0),
        ("Sources/Statistics/Column.swift", 0), ("Sources/Bench/Running/Judge.swift", 0),
        ("Sources/Methods/Measures/ChangeSize.swift", 1), ("Sources/Diffing/Evidence.swift", 1),
        ("Sources/Bench/Measuring/PairRun.swift", 1),
      ] {
        try edit(file, in: folder)
        #expect(try Double(run(workshop(folder)).new) == share * Double(new), "\(file)")
      }
    }
  }

  @Test("without evidence nothing is scored, and nothing is planted for it")
  func scoresOnly() throws {
    try withWorkshop { workshop, _, folder in
      let (trials, new) = try run(workshop, .scoring)
      #expect(trials.allSatisfy { $0.pair.regime == "any" } && new == 0)
      #expect(!FileManager.default.fileExists(atPath: folder.appending(path: ".assay/pairs").path))
    }
  }

  @Test("a change of the answer key trains nothing and runs no method")
  func key() throws {
    try withWorkshop { workshop, _, folder in
      let before = try run(workshop)
      let url = folder.appending(path: "Organisms/edited-capital.json")
      let text = try String(contentsOf: url, encoding: .utf8)
      let other = text.replacingOccurrences(
        of: "\"target\": { \"capital\": [\"$capital\"]",
        with: "\"target\": { \"capital\": [\"$country.capital\"]")
      #expect(other != text)
      try other.write(to: url, atomically: true, encoding: .utf8)
      let after = try run(self.workshop(folder))
      #expect(after.new == 0)
      let scores = zip(before.trials, after.trials).filter { !$0.0.isNull }
      #expect(scores.contains { $0.0.score(.what) != $0.1.score(.what) })
      #expect(zip(before.trials, after.trials).allSatisfy { $0.0.magnitude == $0.1.magnitude })
    }
  }

  @Test("a damaged pair is made anew, with a line that says so, and its evidence is still good")
  func damagedPair() throws {
    try withWorkshop { first, notices, folder in
      let before = try run(first)
      let pairs = folder.appending(path: ".assay/pairs")
      let names = try FileManager.default.contentsOfDirectory(atPath: pairs.path).sorted()
      let plant = pairs.appending(
        path: try #require(names.first { $0.hasPrefix("edited-capital") }))
      let weights = plant.appending(path: "model.safetensors")
      var data = try Data(contentsOf: weights)
      data[data.count - 3] ^= 0x10
      try data.write(to: weights)
      // Another method has to open the models.
      let notices = Mutexed<[String]>([])
      let after = try run(workshop(folder, notices), methods: ["task-arithmetic", "weight-norm"])
      #expect(notices.value.count == 1 && notices.value[0].contains("damaged"), "\(notices.value)")
      #expect(
        after.trials.filter { $0.row.method == "weight-norm" }.map(\.magnitude)
          == before.trials.filter { $0.row.method == "weight-norm" }.map(\.magnitude))
      try Data("{}".utf8).write(to: plant.appending(path: "manifest.json"))
      let again = try run(workshop(folder, notices))
      #expect(again.trials == before.trials)
      #expect(notices.value.last?.contains("manifest is missing or damaged") == true)
    }
  }

  @Test("the three seeds are three: each changes its own part")
  func seeds() throws {
    try withWorkshop { workshop, _, _ in
      func magnitudes(_ seeds: TrialSeeds, _ method: String) throws -> [Double?] {
        let grid = try Grid(
          workshop.library, tier: .smoke, organisms: ["country-facts"], methods: [method],
          seeds: [seeds])
        return try BenchRun(workshop).run(grid, jobs: 1).filter {
          $0.pair.subject == "country-facts"
        }
        .map(\.magnitude)
      }
      let own = try magnitudes(TrialSeeds(base: 0), "weight-norm")
      #expect(try magnitudes(TrialSeeds(base: 0, method: 7), "weight-norm") == own)
      #expect(try magnitudes(TrialSeeds(base: 0, planting: 7), "weight-norm") != own)
      #expect(try magnitudes(TrialSeeds(base: 1, planting: 0, method: 0), "weight-norm") != own)
      let drawn = try magnitudes(TrialSeeds(base: 0), "contrastive-decoding")
      #expect(try magnitudes(TrialSeeds(base: 0, method: 7), "contrastive-decoding") != drawn)
    }
  }

  @Test("reading writes nothing, and what was not certified is not scored")
  func reading() throws {
    try withWorkshop { first, _, folder in
      let before = try run(first)
      #expect(try run(workshop(folder), .reading).trials == before.trials)
      let cache = folder.appending(path: ".assay")
      for part in ["certificates", "effects", "gains"] {
        try FileManager.default.removeItem(at: cache.appending(path: part))
      }
      let trials = try run(workshop(folder), .reading).trials
      #expect(trials.filter { !$0.isNull }.allSatisfy { $0.failures == ["it was not certified"] })
      let parts = try FileManager.default.contentsOfDirectory(atPath: cache.path).sorted()
      #expect(parts == ["evidence", "pairs"])
      #expect(try run(workshop(folder), .scoring).trials == before.trials)
    }
  }

  @Test("a trial names its own seeds, whoever measured the same models first")
  func labels() throws {
    try withWorkshop { workshop, _, _ in
      func cells(_ seeds: TrialSeeds) throws -> [TrialSeeds] {
        let grid = try Grid(
          workshop.library, tier: .smoke, organisms: ["edited-capital"], methods: ["weight-norm"],
          seeds: [seeds])
        return try BenchRun(workshop).run(grid, jobs: 1).map(\.seeds)
      }
      for seeds in [TrialSeeds(base: 0, planting: 7), TrialSeeds(base: 0)] {
        let named = try cells(seeds)
        #expect(!named.isEmpty && named.allSatisfy { $0 == seeds })
      }
    }
  }

  @Test("who does not answer whether is not run on null pairs, and says nothing there")
  func whereOnly() throws {
    try withWorkshop { workshop, _, folder in
      let method = "activation-patching"
      #expect(try Methods.chosen([method])[0].card.questions.contains(.whether) == false)
      let (trials, new) = try run(workshop, methods: [method])
      let (plants, nulls) = (trials.filter { !$0.isNull }, trials.filter(\.isNull))
      #expect(new == plants.count && plants.count == 1 && nulls.count > 4)
      #expect(plants[0].cost.tokensForward > 0)
      #expect(nulls.allSatisfy { $0.cost.tokensForward == 0 && $0.magnitude == nil })
      #expect(try run(self.workshop(folder), methods: [method]).trials == trials)
      #expect(try run(self.workshop(folder), .scoring, methods: [method]).trials == trials)
    }
  }

  @Test("a base whose configuration is not that of its recipe is refused")
  func configuration() throws {
    try withWorkshop { workshop, _, folder in
      let url = folder.appending(path: "Fixtures/bases/hearth-0/config.json")
      let text = try String(contentsOf: url, encoding: .utf8)
      #expect(text.contains("\"rms_norm_eps\""))
      let line = try #require(text.split(separator: "\n").first { $0.contains("\"rms_norm_eps\"") })
      try text.replacingOccurrences(of: line, with: "  \"rms_norm_eps\": 0.001,")
        .write(to: url, atomically: true, encoding: .utf8)
      #expect(throws: (any Error).self) { try workshop.bases.base(seed: 0) }
    }
  }
}
