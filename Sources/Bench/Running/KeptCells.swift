package import Organisms
internal import Scoring
internal import Synchronization
package import Transformers
internal import Worlds

/// What is kept beside a run's trials, for people who look at them: what methods said, and what was planted.
///
/// Nothing is measured, planted or written: of a trial that another machine made, or an older version, there is nothing.
package struct KeptCells {
  private let run: BenchRun
  private let drawn = DrawnLibraries()

  /// Opens what a project keeps.
  ///
  /// - Throws: `DefinitionError` if a template of the world cannot be filled.
  package init(_ workshop: Workshop) throws { run = try BenchRun(workshop) }

  /// What was planted in a pair, as far as answers are compared with it.
  package struct Truth: Sendable {
    package let tokens: PlantedChange.Tokens
    /// Which prompts of the pool were measured to set the behaviour off; nil if that is not kept.
    package let inputs: [Bool]?
    /// The modules that training was allowed to write; nil where *where* has no answer.
    package let sites: [ModuleSite]?
  }

  private var library: Library { run.workshop.library }

  /// The organisms that were drawn for a base.
  ///
  /// - Throws: `DefinitionError` where nothing is left to be drawn.
  func library(for base: UInt64) throws -> Library { try drawn.of(library, base) }

  /// Knows the words of token ids.
  package var tokenizer: any Tokenizer { library.world.tokenizer }

  /// Tokens that nothing is planted in.
  package var specialTokens: Set<Int> { library.world.specialTokens }

  /// The prompts that input claims refer to.
  package var pool: [[Int]] { run.prompts.pool }

  /// What methods said in the trials of one pair, by the trials' keys.
  ///
  /// - Parameter trials: Trials of one pair, whatever their methods.
  /// - Throws: `FileError` if a file is there and cannot be read.
  package func evidence(of trials: [Trial]) throws -> [String: CellEvidence] {
    guard let first = trials.first else { return [:] }
    let lines = try run.workshop.evidence.open(
      first.pair, digest: first.versions.pair, isReadOnly: true)
    return trials.reduce(into: [:]) { known, trial in known[trial.key] = lines.value(trial.key) }
  }

  /// What was planted in the pair of a trial; nil for a null pair, and where the library has no such organism.
  package func truth(of trial: Trial) throws -> Truth? {
    guard !trial.isNull,
      let organism = try? library(for: trial.seeds.base).organism(trial.pair.subject)
    else { return nil }
    let tokens = organism.plantedTokens(in: library.world)
    let key = KeptGains.key(
      organism.behavior, targets: tokens.allTargets, text: run.prompts.digest,
      pair: trial.versions.pair, sources: run.effectSources)
    let gains = try run.workshop.gains.open(
      trial.pair, digest: trial.versions.pair, isReadOnly: true
    ).value(key)
    return Truth(
      tokens: tokens, inputs: gains?.gains.labels, sites: sites(of: organism, trial.pair.regime))
  }

  private func sites(of organism: Organism, _ regime: String) -> [ModuleSite]? {
    guard let regime = try? organism.regime(regime) else { return nil }
    return organism.plantedChange(
      in: library.world, pool: pool, layers: library.world.layers, regime: regime
    ).sites
  }
}

/// Libraries by the base that they were drawn for; each is drawn once.
private final class DrawnLibraries: Sendable {
  private let known = Mutex<[UInt64: Library]>([:])

  func of(_ library: Library, _ base: UInt64) throws -> Library {
    if let own = known.withLock({ $0[base] }) { return own }
    let own = try library.drawn(for: base)
    known.withLock { $0[base] = own }
    return own
  }
}
