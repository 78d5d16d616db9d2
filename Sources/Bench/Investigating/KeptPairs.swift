internal import Organisms
internal import Transformers
internal import Worlds

/// The models of a run's pairs; what the pairs of a base have in common is made once.
///
/// Nothing is planted: a pair that is not kept, or is damaged, or is not the one that a trial was of, is none.
final class KeptPairs {
  private let workshop: Workshop
  private let kept: KeptCells
  private var bases: [UInt64: Base] = [:]
  private var subjects: [TrialSeeds: [PairName: Subject]] = [:]

  init(_ workshop: Workshop, _ kept: KeptCells) {
    self.workshop = workshop
    self.kept = kept
  }

  /// The two models of a trial; nil for a pair that is not kept.
  ///
  /// - Throws: What reading the pair or its base throws.
  func pair(of trial: Trial) throws -> PlantedPair? {
    guard let subject = try subjects(trial.seeds)[trial.pair] else { return nil }
    let base = try base(trial.seeds.base)
    let entry = try workshop.pairs.knownEntry(subject, in: base, planting: trial.seeds.planting)
    guard let entry, entry.models == trial.versions.pair else { return nil }
    return try workshop.pairs.pair(subject, in: base, planting: trial.seeds.planting)
  }

  /// Everything that a tier may have planted, by name.
  private func subjects(_ seeds: TrialSeeds) throws -> [PairName: Subject] {
    if let known = subjects[seeds] { return known }
    let library = try kept.library(for: seeds.base)
    let grid = try Grid(
      library, tier: library.world.model == nil ? .standard : .real, seeds: [seeds], nulls: .all)
    let all = Dictionary(
      try grid.subjects(in: library, for: seeds).map { ($0.name, $0) }
    ) { first, _ in first }
    subjects[seeds] = all
    return all
  }

  private func base(_ seed: UInt64) throws -> Base {
    if let base = bases[seed] { return base }
    let base = try workshop.bases.base(seed: seed)
    bases[seed] = base
    return base
  }
}
