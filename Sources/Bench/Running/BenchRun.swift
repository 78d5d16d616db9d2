internal import Tensors
internal import Diffing
internal import Organisms
internal import Synchronization

/// Runs a grid: plants what is not planted, measures what is not measured, and scores what is kept.
package struct BenchRun: Sendable {
  package let workshop: Workshop
  let prompts: WorldPrompts
  let effectSources: String
  /// Whether dummies are run beside the methods.
  let hasDummies: Bool
  /// Where methods run; in this process if nil.
  let workers: WorkerPool?
  /// What runs people's programs; nil where there are none.
  let programs: ProgramPool?

  /// What a run tells while it goes on.
  package enum Event: Sendable {
    case opening(pair: PairName, seeds: TrialSeeds)
    /// A pair's trials are scored; `new` of them were measured now.
    case finished(trials: Int, new: Int)
    /// A method that could not answer on a pair, which counts as chance, or a pair that no method could be run
    /// on; the rest goes on.
    case failed(Failure)
  }

  /// What could not be answered, and why.
  package struct Failure: Sendable {
    package let pair: PairName
    package let seeds: TrialSeeds
    /// Nil if it is the whole pair.
    package let method: MethodAtAccess?
    package let reason: String

    /// In words.
    package var text: String {
      "\(method.map { "\($0) on " } ?? "")\(pair), \(seeds): \(reason)"
    }
  }

  /// How far a run goes.
  package enum Extent: Sendable {
    /// Plants and measures whatever is missing.
    case everything
    /// Runs no method: scores the evidence that is kept. Certificates and effects of interventions that were
    /// never measured are.
    case scoring
    /// Writes nothing and opens no model: shows what is kept.
    case reading
  }

  /// - Parameters:
  ///   - workshop: What it works with.
  ///   - hasDummies: Whether dummies are run beside the methods.
  ///   - workers: The processes that methods run in; this one if nil.
  ///   - programs: What runs people's programs; needed if the grid has any.
  /// - Throws: `DefinitionError` if a template of the world cannot be filled.
  package init(
    _ workshop: Workshop, hasDummies: Bool = false, workers: WorkerPool? = nil,
    programs: ProgramPool? = nil
  ) throws {
    self.workshop = workshop
    self.hasDummies = hasDummies
    self.workers = workers
    self.programs = programs
    prompts = try WorldPrompts(workshop.library)
    effectSources = workshop.sources.effects
  }

  /// Runs a grid.
  ///
  /// - Parameters:
  ///   - grid: The cells.
  ///   - extent: How far to go.
  ///   - jobs: Pairs worked on at once; each pair uses one thread if there are several.
  ///   - report: Told what happens, from any thread.
  /// - Returns: The trials of the grid, in the order of the grid; with `.scoring` those that are kept. A method
  ///   that fails has said nothing; of a pair that fails there is none; `report` is told of both.
  /// - Throws: The first error that is not a method's or a pair's own, such as a full disk.
  package func run(
    _ grid: Grid, extent: Extent = .everything, jobs: Int,
    report: @escaping @Sendable (Event) -> Void = { _ in }
  ) throws -> [Trial] {
    let methods = try grid.methodRuns.map { try MethodRun($0.method, $0.access, workshop.sources) }
    var all: [Trial] = []
    if extent == .everything { try workers?.start(jobs) }
    for seeds in grid.seeds {
      let ground = try Ground(self, seed: seeds.base)
      let subjects = try grid.subjects(in: ground.library, for: seeds)
      let results = Mutex<[Int: Result<[Trial], any Error>]>([:])
      // In an order that nobody can compute: no plant is known by its place, and how long the rest takes can be
      // told from what was done. No result depends on it.
      let order = subjects.indices.shuffled()
      inParallel(order.count, jobs: jobs) { place in
        let index = order[place]
        let result = Result {
          do {
            return try PairVisit(self, subjects[index], on: ground, seeds, extent, report)
              .trials(methods)
          } catch let error as DiffingError {
            report(
              .failed(
                Failure(
                  pair: subjects[index].name, seeds: seeds, method: nil, reason: "\(error)")))
            return []
          }
        }
        results.withLock { $0[index] = result }
      }
      let finished = results.withLock { $0 }
      for index in subjects.indices { all += try finished[index]?.get() ?? [] }
    }
    return all
  }
}
