internal import Worlds
internal import Foundation
package import Organisms
internal import Synchronization

/// A project's worlds, organisms and stores: what every run works with.
package struct Workshop: Sendable {
  package let project: Project
  package let library: Library
  package let bases: BaseStore
  package let pairs: PairStore
  package let evidence: PairFiles<CellEvidence>
  package let effects: PairFiles<KeptEffects>
  package let gains: PairFiles<KeptGains>
  package let sources: SourceDigest

  /// Opens a project.
  ///
  /// - Parameters:
  ///   - project: The folders.
  ///   - library: Its worlds and organisms; read now if nil.
  ///   - sources: What kept things depend on.
  ///   - notice: Told, in a sentence, what was found damaged and is made anew.
  /// - Throws: `JSONError` or `DefinitionError` if the world is wrong; `StaleProgram`.
  package init(
    _ project: Project, library: Library? = nil, sources: SourceDigest = SourceDigest(),
    notice: @escaping @Sendable (String) -> Void = Notice.standardError
  ) throws {
    self.project = project
    if let file = sources.changedSinceBuild { throw StaleProgram(file: file) }
    let known = try library ?? project.library()
    self.library = known
    self.sources = sources
    bases = BaseStore(project, world: known.world, sources: sources, notice: notice)
    pairs = PairStore(project, sources: sources, notice: notice)
    evidence = PairFiles(project.cache.appending(path: "evidence"), notice: notice)
    effects = PairFiles(project.cache.appending(path: "effects"), notice: notice)
    gains = PairFiles(project.cache.appending(path: "gains"), notice: notice)
  }

  /// The skills that the bases of a run lack, each with its figure.
  ///
  /// - Throws: `CheckpointError`, `JSONError` or `DefinitionError`.
  package func missingSkills(_ seeds: [TrialSeeds]) throws -> [String] {
    try Set(seeds.map(\.base)).sorted().flatMap { seed in
      try bases.base(seed: seed).measureSkills().filter { !$0.skill.bounds.contains($0.score) }
        .map { skill, score in
          "base \(seed): the skill '\(skill.id)' is \(score), outside \(skill.bounds)"
        }
    }
  }
}

/// A program that is older than the sources that it was built from.
package struct StaleProgram: Error, CustomStringConvertible {
  /// A source that changed.
  package let file: String

  package var description: String {
    "Sources/\(file) changed after this program was built, so what it measures would be kept as that of "
      + "the change. Run './assay', which builds first."
  }
}
