import Bench
import Diffing
import Organisms
import Scoring
import Statistics
import TestSupport
import Testing

/// Organisms that were drawn after every default was chosen, beside the others.
@Suite("Held-out half")
struct HalfComparisonTests {
  private func trial(
    _ method: String, _ half: Half?, what: Double? = nil, role: PairRole = .planted,
    magnitude: Double = 1
  ) -> Trial {
    let id = half == .heldOut ? "one-held" : "one"
    return .sample(
      method: method, subject: role == .planted ? id : "null", half: half, role: role,
      match: role == .planted ? nil : PairName(id, "fresh"), magnitude: magnitude,
      scores: what.map { [.what: .scored($0, chance: 0)] } ?? [:])
  }

  /// Three methods with a score in each half.
  private func trials(_ development: [Double], _ heldOut: [Double]) -> [Trial] {
    development.indices.flatMap { index in
      [
        trial("m\(index)", .development, what: development[index]),
        trial("m\(index)", .heldOut, what: heldOut[index]),
      ]
    }
  }

  @Test("each method stands with its means of both halves")
  func rows() throws {
    let comparison = try #require(HalfComparison(trials([0.1, 0.2], [0.3, 0.5])))
    let rows = comparison.rows(.what)
    #expect(rows.map(\.row.method) == ["m0", "m1"])
    #expect(rows.map(\.development) == [0.1, 0.2] && rows.map(\.heldOut) == [0.3, 0.5])
    let differences = rows.compactMap { $0.difference?.value }
    #expect(zip(differences, [-0.2, -0.3]).allSatisfy { abs($0 - $1) < 1e-12 })
    let advantage = try #require(comparison.advantage(.what))
    #expect(abs(advantage + 0.25) < 1e-12)
    #expect(comparison.advantage(.when) == nil)
  }

  @Test(
    "tau-b: 1 in the same order, -1 in the opposite one, a third with one of three pairs turned")
  func agreement() throws {
    func tau(_ heldOut: [Double]) throws -> Double? {
      try #require(HalfComparison(trials([0.1, 0.2, 0.3], heldOut))).agreement(.what)
    }
    #expect(try tau([0.2, 0.3, 0.4]) == 1)
    #expect(try tau([0.4, 0.3, 0.2]) == -1)
    let third = try tau([0.1, 0.3, 0.2]) ?? .nan, tied = try tau([0.1, 0.2, 0.2]) ?? .nan
    #expect(abs(third - 1.0 / 3) < 1e-12)
    // One pair ties in one half: 2 / √(3 · 2).
    #expect(abs(tied - 2 / 6.0.squareRoot()) < 1e-12)
    #expect(try tau([0.1, 0.1, 0.1]) == nil)
  }

  @Test("a plant is told from the null pairs of its own half")
  func whether() throws {
    let all =
      [Half.development, .heldOut].flatMap { half in
        [
          trial("m", half, magnitude: 2),
          trial("m", half, role: .narrow, magnitude: half == .heldOut ? 3 : 1),
        ]
      } + [trial("m", nil, role: .invariant)]
    let row = try #require(HalfComparison(all)?.rows(.whether).first)
    #expect(row.development == 1 && row.heldOut == 0)
  }

  @Test("where nothing was held out there is nothing to compare")
  func none() {
    #expect(HalfComparison([trial("m", .development, what: 1), trial("m", nil, what: 1)]) == nil)
  }
}
