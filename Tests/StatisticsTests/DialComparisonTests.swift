import FoundationEssentials
import Bench
import Diffing
import Organisms
import Scoring
import Statistics
import TestSupport
import Testing

/// Plants that are diluted and aged.
@Suite("Dials")
struct DialComparisonTests {
  private func trial(
    _ organism: String, _ dial: Dial?, place: Double, base: UInt64 = 0, isInstalled: Bool = true
  ) -> Trial {
    .sample(
      method: "activation-difference-lens", access: .unrelated, subject: organism, dial: dial,
      base: base, failures: isInstalled ? [] : ["too faint"],
      scores: [
        .what: .scored(0.5, chance: 0.04, figures: [.classPlace: place])
      ])
  }

  @Test("a regime that was turned says how far, in numbers")
  func dials() {
    #expect(Regime.fresh.dial == nil)
    #expect(Regime.fresh.diluted(0.3).dial == .mix(0.3))
    #expect(Regime.settled.aged(5).dial == .age(5))
    #expect(Dial.mix(0.3).label == "1:0.3" && Dial.age(5).label == "x5")
    #expect(Set(DialComparison.dials).count == DialComparison.dials.count)
  }

  @Test("each plant is compared with itself, where both are installed")
  func pairs() throws {
    let trials = [
      trial("a", nil, place: 0.8), trial("a", .mix(16), place: 0.2),
      // Without one of its own, and not installed: neither counts.
      trial("b", .mix(16), place: -9),
      trial("c", nil, place: -9, isInstalled: false), trial("c", .mix(16), place: -9),
      trial("a", nil, place: 0.6, base: 1), trial("a", .mix(16), place: 0.4, base: 1),
    ]
    let comparison = DialComparison(trials, DialComparison.classPlace)
    let row = MethodAtAccess("activation-difference-lens", .unrelated)
    let own = try #require(comparison.own(row)),
      shift = try #require(comparison.shift(row, at: .mix(16)))
    #expect(abs(own.value - 0.7) < 1e-12 && abs(shift.value + 0.4) < 1e-12 && shift.count == 2)
    #expect(comparison.shown == [.mix(16)])
    #expect(comparison.shift(row, at: .age(5)) == nil)
  }

  @Test("the tier of dials runs one organism of a family, in its own regime and along the dials")
  func grid() throws {
    let library = try Library(
      Fixtures.repository.appending(path: "Organisms"), models: Fixtures.models)
    let grid = try Grid(library, tier: .dials)
    let plants = grid.subjects.compactMap { subject -> (family: String, regime: Regime)? in
      guard case .organism(let organism, let regime) = subject else { return nil }
      return (organism.file.family, regime)
    }
    #expect(plants.count == grid.subjects.count, "no nulls")
    for (family, own) in Dictionary(grouping: plants, by: \.family) {
      #expect(own.filter { $0.regime.dial == nil }.count == 1, "\(family)")
      #expect(Set(own.map(\.regime.id)).count == own.count && own.count > 2, "\(family)")
    }
  }
}
