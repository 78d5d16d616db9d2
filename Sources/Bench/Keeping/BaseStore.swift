internal import Files
package import Worlds
package import Foundation
internal import JSON
internal import Organisms
package import Transformers

/// Keeps trained bases: those that are committed, and those that were made here.
package struct BaseStore: Sendable {
  package let project: Project
  package let world: World
  private let sources: SourceDigest
  private let notice: @Sendable (String) -> Void

  package init(
    _ project: Project, world: World, sources: SourceDigest = SourceDigest(),
    notice: @escaping @Sendable (String) -> Void = Notice.standardError
  ) {
    self.project = project
    self.world = world
    self.sources = sources
    self.notice = notice
  }

  /// What is kept beside a base: enough to make it anew.
  package struct Record: Codable, Sendable {
    package let world: String
    package let recipe: BaseRecipe
    /// The digest of world and recipe.
    package let digest: String
    /// The digest of the weights.
    package let weights: String
  }

  /// The standard base of a seed: the world's model if it names one, else committed, cached, or trained now.
  ///
  /// - Throws: `CheckpointError`, `JSONError` or `DefinitionError`.
  package func base(seed: UInt64, progress: (TrainingStatus) -> Void = { _ in }) throws -> Base {
    if let model = world.model {
      return Base(world: world, seed: seed, model: try HuggingFaceFolder.read(model.url).model)
    }
    let recipe = BaseRecipe(seed: seed, size: world.size)
    let digest = try recipe.digest(world)
    if let base = try read(committed(seed), recipe: recipe, digest: digest) { return base }
    do {
      if let base = try read(cached(digest), recipe: recipe, digest: digest) { return base }
    } catch {
      notice("a cached base is damaged and trained anew: \(error)")
    }
    let base = try train(recipe, progress: progress)
    try AtomicFolder.write(to: cached(digest)) { try fill($0, base, recipe) }
    return base
  }

  /// Trains a base, whatever is kept.
  package func train(_ recipe: BaseRecipe, progress: (TrainingStatus) -> Void) throws -> Base {
    Base(world: world, seed: recipe.seed, model: try recipe.train(world, progress: progress))
  }

  /// Where the base of a seed is committed.
  package func committed(_ seed: UInt64) -> URL {
    project.committedBases.appending(path: "\(world.id)-\(seed)")
  }

  private func cached(_ digest: String) -> URL {
    project.cache.appending(path: "bases/\(digest)-\(sources.pairs)")
  }

  private func read(_ folder: URL, recipe: BaseRecipe, digest: String) throws -> Base? {
    let recordURL = folder.appending(path: "recipe.json")
    guard FileManager.default.fileExists(atPath: recordURL.path) else { return nil }
    let record = try JSON.decode(Record.self, contentsOf: recordURL)
    guard record.digest == digest else { return nil }
    let model = try HuggingFaceFolder.read(folder).model
    guard model.weightsDigest == record.weights else {
      throw CheckpointError.badTensor(
        "all", file: folder.path, reason: "are not the weights that recipe.json names")
    }
    guard model.shape == recipe.untrained(in: world).shape else {
      throw CheckpointError.badConfiguration(
        key: "config.json", file: folder.path, reason: "is not that of the recipe")
    }
    return Base(world: world, seed: recipe.seed, model: model)
  }

  /// Writes a base with the record that reproduces it, for somebody who asked for it there.
  ///
  /// - Throws: `FileError.unwritable`, also if something that Assay did not write is there.
  package func export(_ base: Base, _ recipe: BaseRecipe, to folder: URL) throws {
    try AtomicFolder.writeOwn(to: folder) { try fill($0, base, recipe) }
  }

  private func fill(_ folder: URL, _ base: Base, _ recipe: BaseRecipe) throws {
    let record = Record(
      world: world.id, recipe: recipe, digest: try recipe.digest(world),
      weights: base.model.weightsDigest)
    try HuggingFaceFolder.fill(folder, base.model, world.wordTokenizer)
    let text = try JSON.encode(record, layout: .pretty) + "\n"
    try AtomicFile.write(Data(text.utf8), to: folder.appending(path: "recipe.json"))
  }
}
