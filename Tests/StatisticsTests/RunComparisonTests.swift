import Bench
import Diffing
import Foundation
import JSON
import Scoring
import Statistics
import TestSupport
import Testing

@Suite("Two runs beside each other")
struct RunComparisonTests {
  /// Sixteen plants of eight families, three methods, and a null pair for each plant.
  private func run(_ shift: (_ method: String, _ plant: Int) -> Double) -> [Trial] {
    ["steady", "better", "noisy"].flatMap { method in
      (0..<16).flatMap { plant -> [Trial] in
        let value = 0.3 + 0.02 * Double(plant) + shift(method, plant)
        let name = "o\(plant)"
        return [
          .sample(
            method: method, subject: name, family: "f\(plant / 2)", magnitude: value,
            scores: [.what: .scored(value, chance: 0)]),
          .sample(
            method: method, subject: "null-\(name)", family: "f\(plant / 2)", role: .narrow,
            match: PairName(name, "fresh"), magnitude: 0.5),
        ]
      }
    }
  }

  @Test(
    "a method that got better is first, one that moved both ways is not clear, one that stayed differs nowhere"
  )
  func evidence() throws {
    let before = run { _, _ in 0 }
    let after = run { method, plant in
      switch method {
      case "better": 0.2 + 0.01 * Double(plant % 3)
      case "noisy": plant % 4 < 2 ? 0.2 : -0.19
      default: 0
      }
    }
    let comparison = RunComparison(before, after)
    let what = comparison.rows.filter { $0.question == .what }
    #expect(comparison.shared == 48 && comparison.unchanged == 16)
    #expect(comparison.onlyFirst.isEmpty && comparison.onlySecond.isEmpty)
    let better = try #require(what.first)
    #expect(better.row.method == "better" && better.difference.isClear)
    #expect(abs(better.difference.value - 0.209375) < 1e-9)
    #expect(abs(better.second - better.first - better.difference.value) < 1e-12)
    let noisy = try #require(what.first { $0.row.method == "noisy" })
    #expect(!noisy.difference.isClear && noisy.difference.interval?.contains(0) == true)
    let steady = try #require(what.first { $0.row.method == "steady" })
    #expect(steady.difference.value == 0 && steady.difference.probability == 1)
    let whether = comparison.rows.filter { $0.question == .whether }
    #expect(whether.first { $0.row.method == "better" }?.difference.value ?? 0 > 0.2)
    // The other way round it is worse by as much.
    let back = try #require(RunComparison(after, before).rows.first)
    #expect(abs(back.difference.value + better.difference.value) < 1e-9)
  }

  @Test("what one run alone has is named, and moves no figure of the others")
  func alone() throws {
    let before = run { _, _ in 0 }, after = run { _, _ in 0.1 }
    let fewer = after.filter { $0.pair.subject != "o3" && $0.row.method != "noisy" }
    let comparison = RunComparison(before, fewer)
    #expect(comparison.onlyFirst == ["noisy@weights", "o3@fresh on base-0"])
    #expect(comparison.shared == 30)
    let row = try #require(comparison.rows.first { $0.question == .what })
    #expect(abs(row.difference.value - 0.1) < 1e-9)
  }

  @Test("who falls silent is at chance, and is named")
  func silence() throws {
    let before = run { _, _ in 0 }
    let after = before.map { trial in
      trial.row.method == "better" && !trial.isNull ? trial.silent(chance: 0.1) : trial
    }
    let comparison = RunComparison(before, after)
    #expect(comparison.onlyFirst == ["what by better@weights"] && comparison.onlySecond.isEmpty)
    let row = try #require(
      comparison.rows.first { $0.row.method == "better" && $0.question == .what })
    #expect(abs(row.second - 0.1) < 1e-12 && row.difference.isClear && row.difference.value < -0.3)
    let back = try #require(
      RunComparison(after, before).rows.first { $0.row.method == "better" && $0.question == .what })
    #expect(abs(back.difference.value + row.difference.value) < 1e-12)
  }

  @Test("null pairs that one run alone has move nothing, and a magnitude alone is a difference")
  func nulls() throws {
    let before = run { _, _ in 0 }
    let fewer = before.filter { !$0.isNull || $0.pair.subject != "null-o0" }
    let comparison = RunComparison(before, fewer)
    #expect(comparison.rows.allSatisfy { $0.difference.value == 0 })
    #expect(comparison.sharedNulls == 45 && comparison.otherNulls == 3)
    #expect(comparison.unchanged == 48)
    let louder = before.map { $0.isNull ? $0 : $0.silent(chance: nil) }
    #expect(RunComparison(before, louder).unchanged == 0)
  }

  @Test("a run's file is read as it was written, and a part of one is refused")
  func file() throws {
    try Fixtures.withTemporaryFolder { folder in
      let url = folder.appending(path: "run.jsonl")
      let trials = run { _, _ in 0 }
      let text = try trials.map { try JSON.encode($0) + "\n" }.joined()
      try Data(text.utf8).write(to: url)
      #expect(try TrialFile.read(url) == trials)
      for (content, reason) in [
        (String(text.dropLast(40)), "run.jsonl:96: is no line of a run"), ("", "holds no trial"),
        (text + text, "two trials of"),
        (text.replacing("\"seeds\"", with: "\"sedes\""), "run.jsonl:1"),
      ] {
        try Data(content.utf8).write(to: url)
        let error = #expect(throws: TrialFile.Fault.self) { try TrialFile.read(url) }
        #expect("\(error!)".contains(reason))
      }
    }
  }
}
