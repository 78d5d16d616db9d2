import Bench
import Diffing
import Scoring
import Statistics
import TestSupport
import Testing

/// Plants that were taken out again, beside the plants themselves.
@Suite("Ghosts")
struct GhostComparisonTests {
  private func trial(
    _ subject: String, _ role: PairRole, magnitude: Double, what: Double? = nil,
    failures: [String] = []
  ) -> Trial {
    .sample(
      method: "m", subject: subject, role: role,
      match: role == .planted ? nil : PairName("a", "fresh"), failures: failures,
      magnitude: magnitude, scores: what.map { [.what: .scored($0, chance: 0)] } ?? [:])
  }

  private var trials: [Trial] {
    [
      trial("a", .planted, magnitude: 5, what: 0.8), trial("null-1", .narrow, magnitude: 1),
      trial("null-2", .novel, magnitude: 3),
    ]
  }

  @Test("a ghost stands against its plant's null pairs, and its words against the plant's")
  func rows() throws {
    let ghost = trial("null-ghost-a", .ghost, magnitude: 2, what: 0.1)
    let comparison = try #require(GhostComparison(trials + [ghost]))
    let row = try #require(comparison.rows.first)
    #expect(comparison.count == 1 && comparison.failed == 0)
    #expect(row.seen.plant?.value == 1 && row.seen.ghost?.value == 0.5)
    #expect(row.named.plant?.value == 0.8 && row.named.ghost?.value == 0.1)
  }

  @Test("one that could not be taken out is no ghost")
  func failed() {
    let ghost = trial("null-ghost-a", .ghost, magnitude: 2, what: 0.1, failures: ["still there"])
    let comparison = GhostComparison(trials + [ghost])
    #expect(comparison?.count == 0 && comparison?.failed == 1 && comparison?.rows.isEmpty == true)
    #expect(BenchSummary(trials + [ghost]).notInstalled.isEmpty)
    #expect(GhostComparison(trials) == nil)
  }

  @Test("a ghost is in no other figure: no null pair, and no plant")
  func apart() throws {
    let ghost = trial("null-ghost-a", .ghost, magnitude: 9, what: 0)
    let with = BenchSummary(trials + [ghost]), without = BenchSummary(trials)
    let (a, b) = (try #require(with.methods.first), try #require(without.methods.first))
    #expect(a.mean(.what) == b.mean(.what) && a.mean(.whether) == b.mean(.whether))
    #expect(a.calibrated(\.area) == b.calibrated(\.area) && with.nulls == without.nulls)
    #expect(a.seconds == b.seconds)
  }
}
