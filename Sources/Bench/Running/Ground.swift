internal import Organisms
internal import Worlds

/// A base with the organisms that were drawn for it, and what every pair of it shares.
struct Ground: Sendable {
  let base: Base
  let library: Library
  let floors: Floors
  /// Nil where methods are run alone.
  let dummies: Dummies?
  let recordings = BaseRecordings()

  /// - Parameters:
  ///   - run: What is run.
  ///   - seed: The base's.
  /// - Throws: `DefinitionError` where nothing is left to be drawn, and what opening the base throws.
  init(_ run: BenchRun, seed: UInt64) throws {
    let workshop = run.workshop
    base = try workshop.bases.base(seed: seed)
    library = try workshop.library.drawn(for: seed)
    floors = try Floors(library)
    dummies =
      run.hasDummies
      ? Dummies(library, pool: run.prompts.pool, sources: workshop.sources.dummyEvidence) : nil
  }
}
