import Diffing
import Foundation
import Organisms
import Scoring
import Synchronization
import Tensors
import TestSupport
import Testing

@testable import Bench

/// A method that cannot answer.
private struct Helpless: DiffingMethod {
  static let card = MethodCard(
    id: "helpless", summary: "Cannot answer.", source: "a test", questions: [.whether, .what],
    access: [.weights])

  func diff(
    _ pair: ModelPair, on prompts: PromptSet, using generator: inout SeededGenerator
  ) throws -> Evidence {
    _ = try SingularValueDecomposition(Tensor([.infinity]).reshaped([1, 1]))
    return Evidence()
  }
}

@Suite("One method's failure")
struct MethodFailureTests {
  @Test("is told with its cell, and the others answer")
  func others() throws {
    try Fixtures.withCheckout { folder in
      let project = Project(root: folder, organisms: nil)
      let library = try project.library()
      let workshop = try Workshop(project, library: library)
      let grid = try Grid(
        library, tier: .smoke, organisms: ["edited-capital"], methods: ["weight-norm"],
        seeds: [TrialSeeds(base: 0, planting: 0, method: 0)])
      let run = try BenchRun(workshop), told = Mutex<[String]>([])
      let visit = PairVisit(
        run, grid.subjects[0], on: try Ground(run, seed: 0), grid.seeds[0], .everything
      ) { event in
        if case .failed(let failure) = event { told.withLock { $0.append(failure.text) } }
      }
      let able = try grid.methodRuns.map { try MethodRun($0.method, $0.access, workshop.sources) }
      let trials = try visit.trials([try MethodRun(Helpless(), .weights, workshop.sources)] + able)
      #expect(trials.map(\.row.method) == ["helpless", "weight-norm"])
      // It has said nothing, which counts as chance.
      let score = try #require(trials[0].score(.what))
      #expect(score.value == nil && score.isAsked && trials[0].magnitude == nil)
      let texts = told.withLock { $0 }
      #expect(texts.count == 1 && texts[0].contains("helpless") && texts[0].contains("infinite"))
    }
  }
}
