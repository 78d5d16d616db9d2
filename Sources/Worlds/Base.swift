package import Transformers

/// A base model of a world.
package struct Base: Sendable {
  package let world: World
  package let recipe: BaseRecipe
  package let model: any LanguageModel

  package init(world: World, recipe: BaseRecipe, model: any LanguageModel) {
    self.world = world
    self.recipe = recipe
    self.model = model
  }

  /// What the base can do, skill by skill.
  package func measureSkills() throws -> [(skill: World.Skill, score: Double)] {
    try world.skills.map { ($0, try ProbeSet([$0.probe], lexicon: world.lexicon).score(model)) }
  }

  /// The stream of documents that no training draws from.
  package static let heldOutStream = "held-out rows"

  /// Rows of base text that no training ever sees.
  package func heldOutRows(_ count: Int = 96) throws -> [[Int]] {
    var corpus = Corpus(world, seed: 0, for: Self.heldOutStream)
    return try corpus.rows(count, length: recipe.rowLength)
  }
}
