import Bench
import Diffing
import Foundation
import Scoring
import TestSupport
import Testing

@testable import Statistics

@Suite("The gate")
struct GateTests {
  private static let organisms = (0..<12).map { "organism-\($0)" }

  /// A run of one method on twelve organisms, with null pairs that it tells from plants.
  private func run(
    seed: UInt64 = 0, _ what: (Int) -> Double? = { _ in 0.6 }, failures: [String] = [],
    leavingOut left: Int = 0
  ) -> [Trial] {
    let plants = Self.organisms.dropLast(left).enumerated().map { index, name in
      Trial.sample(
        subject: name, family: name, methodSeed: seed, failures: index == 3 ? failures : [],
        magnitude: 2,
        scores: [
          .what: what(index).map { .scored($0, chance: 0.1) } ?? .unanswered("no", chance: 0.1)
        ])
    }
    let nulls = Self.organisms.map { name in
      Trial.sample(
        subject: "null-\(name)", methodSeed: seed, role: .narrow, match: PairName(name, "fresh"),
        magnitude: 1)
    }
    return plants + nulls
  }

  private func ledger(_ seeds: [[Trial]]) -> Ledger { Ledger(seeds.flatMap(\.self)) }

  /// Numbers that go up and down by seed and organism, with a mean of nothing.
  private func wave(_ seed: UInt64, _ index: Int) -> Double {
    sin(Double(seed) * 12.9898 + Double(index) * 78.233)
  }

  @Test("what was blessed passes, and what fell by more than its margin does not")
  func verdicts() {
    let ledger = ledger([run()])
    #expect(Gate(ledger, run()).outcome == .pass)
    // One cell, by more and by less than the margin of .1.
    let fell = Gate(ledger, run { $0 == 5 ? 0.45 : 0.6 })
    #expect(fell.outcome == .regression)
    #expect(fell.regressions.map { $0.cell?.pair.subject } == ["organism-5"])
    #expect(Gate(ledger, run { $0 == 5 ? 0.52 : 0.6 }).outcome == .pass)
    // All a little: no cell, but the mean.
    let little = Gate(ledger, run { _ in 0.55 })
    #expect(little.outcome == .regression && little.regressions.map(\.cell) == [nil])
    // Silence, however bad the answer was.
    let low = self.ledger([run { $0 == 5 ? 0.05 : 0.6 }])
    let silent = Gate(low, run { $0 == 5 ? nil : 0.6 })
    #expect(silent.regressions.map(\.verdict) == [.silent] && silent.outcome == .regression)
    let rose = Gate(ledger, run { $0 == 5 ? 0.9 : 0.6 })
    #expect(rose.outcome == .pass && rose.checks(.rose).count == 1)
  }

  @Test("nothing that was not measured passes")
  func notMeasured() {
    let ledger = ledger([run()])
    #expect(Gate(ledger, []).outcome == .notMeasured)
    let part = Gate(ledger, run(leavingOut: 1))
    // A mean over other plants says nothing, so that it is not measured either.
    #expect(part.outcome == .notMeasured && part.checks(.notMeasured).count == 3)
    // No cell's figure is a null pair's, but without it the AUROC is another one's.
    let short = Array(run().dropLast())
    #expect(Gate(ledger, short).outcome == .notMeasured)
    #expect(
      Gate(ledger, short).failures == [
        "weight-norm@weights, method seed 0: lacks null-organism-11@fresh base-0"
      ])
    // Nor is a plant of which nothing was blessed.
    let blind = self.ledger([run { $0 == 11 ? nil : 0.6 }])
    #expect(Gate(blind, run({ $0 == 11 ? nil : 0.6 }, leavingOut: 1)).outcome == .notMeasured)
    let lost = Gate(ledger, run(failures: ["it forgot"]))
    #expect(lost.outcome == .notMeasured)
    #expect(lost.checks(.notMeasured).contains { $0.reason?.contains("it forgot") == true })
    #expect(Gate(ledger, run(), failures: ["a worker died"]).outcome == .notMeasured)
    // A fall is a fall, whatever else is missing.
    #expect(Gate(ledger, run({ _ in 0.2 }, leavingOut: 1)).outcome == .regression)
    #expect(Gate(ledger, run(), scope: Gate.Scope(methods: ["other"])).outcome == .notMeasured)
    let some = Gate(ledger, run(), scope: Gate.Scope(organisms: ["organism-2"]))
    #expect(some.outcome == .pass && some.checks.count == 1)
  }

  @Test("noise between method seeds is no fall, and a fall beyond it is one")
  func noise() {
    func noisy(_ seed: UInt64, _ shift: Double = 0) -> [Trial] {
      run(seed: seed) { 0.6 + 0.1 * wave(seed, $0) + shift }
    }
    let ledger = ledger((0..<8).map { noisy($0) })
    let passes = (8..<108).filter { Gate(ledger, noisy($0)).outcome == .pass }.count
    #expect(passes >= 95)
    let caught = (8..<28).filter { Gate(ledger, noisy($0, -0.25)).outcome == .regression }.count
    #expect(caught == 20)
    // Of one run, noise is not known: then only the margins hold.
    let blind = self.ledger([noisy(0)])
    #expect(Gate(blind, noisy(9)).outcome == .regression)
  }

  @Test("who gives no pair a magnitude any more says nothing of whether")
  func noMagnitudes() {
    let silent = run().map { trial in
      Trial.sample(
        subject: trial.pair.subject, family: trial.family, role: trial.role, match: trial.match,
        magnitude: nil, scores: trial.scores)
    }
    let gate = Gate(ledger([run()]), silent)
    #expect(gate.regressions.map { "\($0.question) \($0.verdict)" } == ["whether silent"])
    // Nor who gives it to a few.
    let few = zip(run(), silent).enumerated().map { $0.offset < 3 ? $0.element.0 : $0.element.1 }
    #expect(Gate(ledger([run()]), few).regressions.map(\.verdict) == [.silent])
  }

  @Test("another regime of an organism that was blessed counts in no mean")
  func otherRegime() {
    let others = run { _ in 1 }.filter { !$0.isNull }.map { trial in
      Trial.sample(
        subject: trial.pair.subject, family: trial.family, regime: "settled", magnitude: 9,
        scores: trial.scores)
    }
    let gate = Gate(ledger([run()]), run { _ in 0.55 } + others)
    #expect(gate.outcome == .regression && gate.newCells == 12)
  }

  @Test("what seems to fall by a long tail of noise is judged by more runs")
  func confirmations() {
    func noisy(_ seed: UInt64) -> [Trial] { run(seed: seed) { 0.6 + 0.03 * wave(seed, $0) } }
    let ledger = ledger((0..<8).map { noisy($0) })
    let odd = run(seed: 9) { $0 == 5 ? 0.2 : 0.6 }
    let first = Gate(ledger, odd)
    #expect(
      first.outcome == .regression
        && first.suspects.compactMap(\.cell?.pair.subject) == ["organism-5"])
    func again(_ value: Double) -> Gate {
      let more = (10..<18).flatMap { seed in
        run(seed: seed) { _ in value }.filter { $0.pair.subject == "organism-5" }
      }
      return Gate(ledger, odd, confirmations: more)
    }
    #expect(again(0.6).outcome == .pass && again(0.6).confirmationCount == 8)
    #expect(again(0.2).outcome == .regression)
  }

  @Test("more runs see smaller falls")
  func power() {
    func noisy(_ seed: UInt64, _ shift: Double = 0) -> [Trial] {
      run(seed: seed) { 0.6 + 0.1 * wave(seed, $0) + shift }
    }
    let ledger = ledger((0..<8).map { noisy($0) })
    func bound(_ runs: Range<UInt64>) -> Double {
      let gate = Gate(ledger, runs.flatMap { noisy($0) })
      return gate.checks.first { $0.cell != nil }?.lowest ?? .nan
    }
    #expect(bound(20..<28) > bound(20..<21) + 0.05)
  }

  @Test("of several runs each cell has its share, and their mean decides")
  func repeats() throws {
    let ledger = ledger([run()])
    let bad = run(seed: 1) { $0 == 5 ? 0.35 : 0.6 }
    func gate(_ runs: [[Trial]]) -> Gate { Gate(ledger, runs.flatMap(\.self)) }
    let one = gate([run(), bad, run(seed: 2)])
    #expect(one.runCount == 3 && one.outcome == .pass)
    let check = try #require(one.checks.first { $0.cell?.pair.subject == "organism-5" })
    #expect(abs(try #require(check.passShare) - 2.0 / 3) < 1e-12)
    #expect(check.values == [0.6, 0.35, 0.6])
    #expect(gate([run(), bad]).outcome == .regression)
    // A run that lacks a cell leaves the cell unmeasured.
    #expect(gate([run(), run(seed: 1, leavingOut: 1)]).outcome == .notMeasured)
  }

  @Test("two ledgers are compared as their runs are")
  func ledgers() throws {
    let before = ledger([run { 0.5 + 0.01 * Double($0) }]),
      after = ledger([run { 0.4 + 0.01 * Double($0) }])
    let comparison = RunComparison(before.trials, after.trials)
    #expect(comparison.shared == 12 && comparison.rows.count == 1)
    let row = try #require(comparison.rows.first)
    #expect(abs(row.difference.value + 0.1) < 1e-9 && row.difference.isClear)
  }

  @Test("an organism that nobody blessed is counted and moves nothing")
  func newOrganism() {
    let ledger = ledger([run(leavingOut: 1)])
    let gate = Gate(ledger, run { $0 == 11 ? 0.0 : 0.6 })
    #expect(gate.outcome == .pass && gate.newCells == 1)
  }
}
