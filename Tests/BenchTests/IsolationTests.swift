import Cheats
import Diffing
import Foundation
import Organisms
import Synchronization
import TestSupport
import Testing

@testable import Bench

/// The wall around methods, and methods that try to look over it.
@Suite("Isolation", .serialized)
struct IsolationTests {
  /// Trials of all cheats on a plant and its null pairs, by method; and what failed.
  private static let cheated = Result {
    try Fixtures.withCheckout { folder in
      let workshop = try Workshop(Project(root: folder))
      var grid = try Grid(workshop.library, tier: .smoke, organisms: ["edited-capital"])
      grid.methods = Cheats.all.map { $0.init() }
      let workers = WorkerPool(
        executable: try #require(Fixtures.program("CheatingWorker")), arguments: [folder.path])
      let failures = Mutex<[String]>([])
      let trials = try BenchRun(workshop, workers: workers).run(grid, jobs: 2) { event in
        if case .failed(let failure) = event { failures.withLock { $0.append(failure.text) } }
      }
      return (trials: trials, failures: failures.withLock { $0 })
    }
  }

  private func magnitudes(_ method: String) throws -> [Double] {
    try Self.cheated.get().trials.filter { $0.row.method == method && !Self.isUnasked($0) }
      .map { $0.magnitude ?? -1 }
  }

  /// Of two models that are the same nobody is asked, and of the same weights nobody who reads these alone.
  private static func isUnasked(_ trial: Trial) -> Bool {
    trial.pair.subject == "null-identical"
      || (trial.role == .prompted && trial.row.access == .weights)
  }

  @Test(
    "nothing is carried from call to call, read, written, started or asked for",
    arguments: [
      "counting-cheat", "remembering-cheat", "reading-cheat", "writing-cheat", "starting-cheat",
      "asking-cheat", "numbering-cheat",
    ])
  func nothing(cheat: String) throws {
    #if !os(Linux)
      guard ["counting-cheat", "remembering-cheat", "asking-cheat"].contains(cheat) else { return }
    #endif
    let found = try magnitudes(cheat)
    #expect(found.count >= 8 && found.allSatisfy { $0 == 0 }, "\(cheat): \(found)")
  }

  @Test("the generator draws the same for a plant and its null pairs")
  func generator() throws {
    let drawn = try magnitudes("drawing-cheat")
    #expect(drawn.count >= 8 && Set(drawn).count == 1 && drawn[0] > 0)
  }

  @Test(
    "a method that stops its process, starts a thread or forges an answer is told by name and costs no other anything",
    arguments: [
      ("stopping-cheat", "signal"), ("threading-cheat", "signal"),
      ("forging-cheat", "something else"),
    ])
  func stopped(cheat: String, says: String) throws {
    let (trials, failures) = try Self.cheated.get()
    let own = failures.filter { $0.contains(cheat) }
    let asked = trials.filter { $0.row.method == "counting-cheat" && !Self.isUnasked($0) }
    #expect(own.count == asked.count)
    #expect(own.allSatisfy { $0.contains(says) }, "\(own.first ?? "")")
    #expect(
      failures.allSatisfy {
        $0.contains("stopping") || $0.contains("threading") || $0.contains("forging")
      })
    #expect(try magnitudes(cheat).allSatisfy { $0 == -1 })
  }

  @Test("behind the wall the real methods say what they say before it, to the byte")
  func sameEvidence() throws {
    try Fixtures.withCheckout { folder in
      let workshop = try Workshop(Project(root: folder))
      let grid = try Grid(
        workshop.library, tier: .smoke, organisms: ["edited-capital"],
        methods: ["weight-spectrum", "sampling", "diff-mining"])
      let workers = WorkerPool(
        executable: try #require(Fixtures.program("assay")),
        arguments: ["worker", "--root", folder.path])
      let walled = try BenchRun(workshop, workers: workers).run(grid, jobs: 2)
      try FileManager.default.removeItem(at: folder.appending(path: ".assay/evidence"))
      let open = try BenchRun(workshop).run(grid, jobs: 2)
      #expect(walled.map(\.magnitude) == open.map(\.magnitude))
      #expect(walled.map(\.scores) == open.map(\.scores))
      #expect(walled.map(\.cost.tokensForward) == open.map(\.cost.tokensForward))
    }
  }

  @Test("a worker of other code or text than the bench's says nothing")
  func otherCode() throws {
    try Fixtures.withCheckout { folder in
      let workshop = try Workshop(
        Project(root: folder), sources: SourceDigest(folder.appending(path: "none")))
      let grid = try Grid(
        workshop.library, tier: .smoke, organisms: ["edited-capital"], methods: ["weight-norm"])
      let workers = WorkerPool(
        executable: try #require(Fixtures.program("assay")),
        arguments: ["worker", "--root", folder.path])
      let told = Mutex<[String]>([])
      let trials = try BenchRun(workshop, workers: workers).run(grid, jobs: 1) { event in
        if case .failed(let failure) = event { told.withLock { $0.append(failure.reason) } }
      }
      #expect(trials.allSatisfy { $0.magnitude == nil })
      #expect(told.withLock { $0.allSatisfy { $0.contains("bench") } && !$0.isEmpty })
    }
  }

  @Test("a worker that is no worker is told, and the run ends")
  func noWorker() throws {
    let workers = WorkerPool(executable: URL(filePath: "/bin/false"), arguments: [])
    let request = WorkerRequest(
      PairName("a", "b"), TrialSeeds(base: 0), models: "", access: .weights, [])
    #expect(throws: WorkerFault.self) { try workers.replies(request) }
  }
}
