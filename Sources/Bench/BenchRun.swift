internal import Diffing
internal import Foundation
package import Organisms
internal import Synchronization
internal import Tensors

/// Runs a grid: plants what is not planted, measures what is not measured.
package struct BenchRun: Sendable {
  package let project: Project
  package let library: Library
  private let pairs: PairStore
  private let bases: BaseStore
  private let trials: TrialStore
  private let sources: String

  /// What a run tells while it goes on.
  package enum Event: Sendable {
    case planting(subject: String, regime: String, seed: UInt64)
    case finished(trials: Int, of: Int)
  }

  /// Opens a project's caches.
  ///
  /// - Throws: `CheckpointError.unwritable`.
  package init(_ project: Project, library: Library) throws {
    self.project = project
    self.library = library
    pairs = PairStore(project, organisms: library.organisms)
    bases = BaseStore(project, world: library.world)
    // The other organisms' keys are the floor of every ranking, so they decide a trial too.
    sources = SourceDigest.trials(project) + library.organisms.map(\.digest).joined()
    trials = try TrialStore(project.cache.appending(path: "trials.jsonl"), sources: sources)
  }

  /// Runs a grid.
  ///
  /// - Parameters:
  ///   - grid: The cells.
  ///   - jobs: Pairs worked on at once; each pair uses one thread if there are several.
  ///   - report: Told what happens, from any thread.
  /// - Returns: The trials of the grid, in the order of the grid.
  /// - Throws: The first error of any pair.
  package func run(
    _ grid: Grid, jobs: Int, report: @escaping @Sendable (Event) -> Void = { _ in }
  ) throws -> [Trial] {
    var all: [Trial] = []
    let done = Mutex(0)
    for seed in grid.seeds {
      let base = try bases.base(seed: seed)
      let results = Mutex<[Int: Result<[Trial], any Error>]>([:])
      let recordings = BaseRecordings()
      inParallel(grid.subjects.count, jobs: jobs) { index in
        let result = Result {
          try run(grid.subjects[index], in: base, grid, recordings, report) {
            let count = done.withLock {
              $0 += 1; return $0
            }
            report(.finished(trials: count, of: grid.trialCount))
          }
        }
        results.withLock { $0[index] = result }
      }
      let finished = results.withLock { $0 }
      for index in grid.subjects.indices { all += try finished[index]?.get() ?? [] }
    }
    return all
  }

  private func run(
    _ subject: Subject, in base: Base, _ grid: Grid, _ recordings: BaseRecordings,
    _ report: (Event) -> Void, _ finished: () -> Void
  ) throws -> [Trial] {
    let digest = try pairs.digest(subject, in: base)
    var bench: PairBench?
    return try grid.methodRuns.map { method, access in
      defer { finished() }
      let key = try PairBench.key(method, access, pair: digest, sources: sources)
      if let known = trials.trial(key) { return known }
      let open = try bench ?? self.open(subject, in: base, digest: digest, recordings, report)
      bench = open
      let trial = try open.run(method, access)
      try trials.append(trial)
      return trial
    }
  }

  private func open(
    _ subject: Subject, in base: Base, digest: String, _ recordings: BaseRecordings,
    _ report: (Event) -> Void
  ) throws -> PairBench {
    report(.planting(subject: subject.id, regime: subject.regime, seed: base.recipe.seed))
    let planted = try pairs.pair(subject, in: base)
    return try PairBench(
      library, base: base, subject: subject, planted: planted, pairDigest: digest,
      sourceDigest: sources, recordings: recordings)
  }
}
