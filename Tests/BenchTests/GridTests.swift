import Diffing
import Organisms
import TestSupport
import Testing

@testable import Bench

/// Which pairs a tier runs.
@Suite("Grids")
struct GridTests {
  private let library: Library

  init() throws { library = try Project(root: Fixtures.repository).library() }

  private func plants(_ tier: Tier) throws -> [(organism: Organism, regime: Regime)] {
    try Grid(library, tier: tier).subjects.compactMap { subject in
      guard case .organism(let organism, let regime) = subject else { return nil }
      return (organism, regime)
    }
  }

  @Test("only the standard tier runs the held-out half, with as many plants as the other")
  func halves() throws {
    for tier in Tier.allCases {
      let held = try plants(tier).filter { $0.organism.half == .heldOut }.count
      let drawn = try plants(tier).filter { $0.organism.half != nil }.count
      #expect(held * 2 == (tier == .standard ? drawn : 0), "\(tier)")
    }
  }

  @Test("each plant of the standard tier has a novel null, and each regime one benign null")
  func nulls() throws {
    let subjects = try Grid(library, tier: .standard).subjects
    let nulls = subjects.compactMap { subject -> NullPair? in
      if case .null(let null) = subject { null } else { nil }
    }
    let plants = try plants(.standard)
    #expect(nulls.filter { $0.breadth == .novel }.count == plants.count)
    let benign = nulls.filter { $0.breadth == .broad }.compactMap { $0.match?.regime.standard }
    let trained = plants.filter(\.regime.isTrained).map(\.regime.standard)
    #expect(Set(benign).count == benign.count && Set(benign) == Set(trained))
    #expect(nulls.filter { $0.breadth == .invariant }.count == NumericChange.allCases.count)
    #expect(Set(subjects.map(\.name)).count == subjects.count)
  }

  @Test("the smoke tier runs an organism of each family, each with one null pair of its own")
  func smoke() throws {
    let plants = try plants(.smoke).map(\.organism)
    #expect(plants.allSatisfy { $0.file.smoke == true })
    let families = Set(library.organisms.map(\.file.family)).subtracting(["conditional", "locked"])
    #expect(plants.count == families.count && Set(plants.map(\.file.family)) == families)
    func breadths(_ organisms: [String], _ nulls: Grid.NullChoice? = nil) throws -> [NullPair
      .Breadth]
    {
      try Grid(library, tier: .smoke, organisms: organisms, nulls: nulls).subjects.compactMap {
        if case .null(let null) = $0, null.match != nil { null.breadth } else { nil }
      }
    }
    let own = try breadths([])
    #expect(own.count == families.count)
    for breadth in [NullPair.Breadth.narrow, .novel] {
      #expect(own.filter { $0 == breadth }.count >= families.count / 3)
    }
    // Whoever asks for an organism by name gets both kinds.
    #expect(try breadths(["taboo-object"]) == [.narrow, .novel])
    #expect(try breadths(["taboo-object"], Grid.NullChoice.none).isEmpty)
  }

  @Test("the transfer tier runs a plant of each family that the real one has")
  func transfer() throws {
    let grid = try Grid(library, tier: .transfer)
    let families = try plants(.transfer).map(\.organism.file.family)
    #expect(families.count == 8 && Set(families).count == 8)
    #expect(grid.pairCount == 2 * grid.subjects.count)
    let matched = grid.subjects.count {
      if case .null(let null) = $0 { null.match != nil } else { false }
    }
    #expect(matched > 8, "a narrow null pair each, and benign ones")
  }

  @Test("another base draws other organisms of the same names")
  func drawn() throws {
    let grid = try Grid(library, tier: .standard)
    let other = try library.drawn(for: 1)
    let subjects = try grid.subjects(in: other, for: TrialSeeds(base: 0))
    #expect(subjects.map(\.name) == grid.subjects.map(\.name))
    let words = try library.organism("reinforced-animal").file.planted.target
    #expect(try other.organism("reinforced-animal").file.planted.target != words)
  }

  @Test("the lottery is five recipes for four plants of different families, all with one mark")
  func lottery() throws {
    let plants = try plants(.lottery)
    #expect(plants.count == 20 && Set(plants.map(\.organism.file.family)).count == 4)
    #expect(Set(plants.map(\.regime.id)).count == 5)
    #expect(Set(plants.map(\.regime.mark)).count == 1 && plants.allSatisfy { $0.regime.age == 1 })
    #expect(Set(plants.map { "\($0.regime.parameters)" }).count == 5)
  }

  @Test("a plant is certified in the place that its base draws")
  func places() throws {
    let plant = try library.organism("located-layer")
    let workshop = try Workshop(Project(root: Fixtures.repository))
    let certified = try Certification(workshop).run(
      [(plant, plant.regimes[0])], seeds: [0, 1], jobs: 2)
    for one in certified {
      let own = try library.drawn(for: one.seed).organism("located-layer")
      #expect(one.regime == own.regimes[0])
    }
    #expect(certified[0].regime.parameters != certified[1].regime.parameters)
  }
}
