package import Transformers

/// A base model of a world.
package struct Base: Sendable {
  package let world: World
  /// Decides how it was trained where it was trained here, and in any case what is drawn for it.
  package let seed: UInt64
  package let model: any LanguageModel

  package init(world: World, seed: UInt64, model: any LanguageModel) {
    self.world = world
    self.seed = seed
    self.model = model
  }

  /// What the base can do, skill by skill.
  package func measureSkills() throws -> [(skill: World.Skill, score: Double)] {
    try world.skills.map { ($0, try ProbeSet([$0.probe], lexicon: world.lexicon).score(model)) }
  }

  /// The stream of documents that no training draws from.
  package static let heldOutStream = "held-out rows"

  /// Rows of base text that no training ever sees.
  package func heldOutRows() throws -> [[Int]] {
    var corpus = Corpus(world, seed: 0, for: Self.heldOutStream)
    return try corpus.rows(world.sizes.heldOutRows, length: world.sizes.rowLength)
  }
}
