internal import Diffing
internal import Organisms
internal import Worlds

/// A base with the organisms that were drawn for it, and what every pair of it shares.
struct Ground: Sendable {
  let base: Base
  let library: Library
  /// Nil where nothing is scored.
  let floors: Floors?
  /// Nil where methods are run alone.
  let dummies: Dummies?
  let recordings = BaseRecordings()

  /// - Parameters:
  ///   - run: What is run.
  ///   - seed: The base's.
  ///   - scores: Whether trials are scored here, which takes floors.
  /// - Throws: `DefinitionError` where nothing is left to be drawn, and what opening the base throws.
  init(_ run: BenchRun, seed: UInt64, scores: Bool = true) throws {
    let workshop = run.workshop
    base = try workshop.bases.base(seed: seed)
    library = try workshop.library.drawn(for: seed)
    floors = scores ? try Floors(library) : nil
    dummies =
      run.hasDummies
      ? Dummies(library, pool: run.prompts.pool, sources: workshop.sources.dummyEvidence) : nil
  }
}

extension BenchRun {
  /// Opens the models of a pair.
  ///
  /// - Parameter models: The digest that they should have.
  /// - Returns: Nil if they have another one.
  /// - Throws: What making or reading the pair throws, and `DiffingError`.
  func open(_ subject: Subject, on ground: Ground, _ seeds: TrialSeeds, models: String) throws
    -> PairRun?
  {
    let planted = try workshop.pairs.pair(subject, in: ground.base, planting: seeds.planting)
    guard workshop.pairs.digest(of: planted) == models else { return nil }
    return try PairRun(
      subject.name, seeds: seeds, base: planted.base, finetuned: planted.finetuned,
      digest: models, prompts: prompts, recordings: ground.recordings)
  }

  /// What a method's evidence on some models is kept under.
  func key(of method: MethodRun, on models: String, _ seeds: TrialSeeds) throws -> String {
    func key(_ hyperparameters: some Encodable) throws -> String {
      try CellEvidence.key(
        method.card.id, hyperparameters, method.access, text: prompts.digest, pair: models,
        sources: method.sources, seed: seeds.method)
    }
    return switch method.code {
    case .own(let method): try key(method)
    case .program(let program): try key(["command": program.command])
    }
  }
}
