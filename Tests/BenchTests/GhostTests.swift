import Diffing
import Organisms
import Scoring
import TestSupport
import Testing

@testable import Bench

/// A plant, its null pairs and its ghost, run as the standard tier runs them.
@Suite("Ghosts and prompted pairs in the bench")
struct GhostTests {
  private static let trials = Result {
    try Fixtures.withCheckout { folder in
      let workshop = try Workshop(Project(root: folder))
      let grid = try Grid(
        workshop.library, tier: .standard, organisms: ["animal-facts"],
        methods: ["output-divergence", "weight-norm"], seeds: [TrialSeeds(base: 0)])
      return try BenchRun(workshop, hasDummies: true).run(grid, jobs: 2)
    }
  }

  private func trials(_ role: PairRole, _ method: String, _ access: AccessLevel) throws -> [Trial] {
    try Self.trials.get().filter {
      $0.role == role && $0.row == MethodAtAccess(method, access)
    }
  }

  @Test("a ghost is asked what was planted and nothing else, and stands in its plant's family")
  func ghost() throws {
    let ghosts = try trials(.ghost, "output-divergence", .pool)
    let ghost = try #require(ghosts.first)
    #expect(ghosts.count == 1 && ghost.isInstalled && ghost.isNull)
    #expect(ghost.family == "false-fact" && ghost.match?.subject == "animal-facts")
    #expect(ghost.score(.what)?.value != nil)
    for question in [Question.when, .where, .how] {
      #expect(ghost.score(question)?.isAsked == false)
    }
  }

  @Test("no dummy reads the key of the plant that a ghost is made of")
  func otherKeys() throws {
    let ghost = try #require(try trials(.ghost, "other-keys-dummy", .pool).first)
    let plant = try #require(try trials(.planted, "other-keys-dummy", .pool).first)
    #expect(ghost.score(.what)?.value == plant.score(.what)?.value)
  }

  @Test("a prompted pair sets off who reads text, and weights have nothing to say")
  func prompted() throws {
    let (read, weighed) = (
      try trials(.prompted, "output-divergence", .pool),
      try trials(.prompted, "weight-norm", .weights)
    )
    #expect(read.count == 3 && weighed.count == 3)
    #expect(
      read.allSatisfy { ($0.magnitude ?? 0) > 0 } && weighed.allSatisfy { $0.magnitude == nil })
    #expect(read.allSatisfy { $0.scores.isEmpty && $0.match == nil })
  }
}
