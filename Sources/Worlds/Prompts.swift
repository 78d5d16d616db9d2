internal import Tensors

/// Unlabelled text for methods, drawn from a world and not from an organism.
package struct Prompts: Sendable {
  /// Rows of text from domains in which nothing is planted.
  package let unrelated: [[Int]]
  /// Prompts from every domain, shuffled.
  package let pool: [[Int]]

  /// Draws the prompts of a world.
  ///
  /// They are the same for every organism and every null pair of the world.
  ///
  /// - Parameters:
  ///   - world: The world.
  ///   - brought: Further templates of the pool, with how often each is filled.
  /// - Throws: `DefinitionError` if a template cannot be filled.
  package init(_ world: World, brought: [(template: Template, count: Int)] = []) throws {
    let kinds = world.kinds.filter(\.isUnrelated).map(\.name)
    var corpus = Corpus(world, seed: 0, for: "unrelated text", kinds: kinds)
    unrelated = try corpus.rows(world.sizes.unrelatedRows, length: world.sizes.unrelatedLength)
    var generator = SeededGenerator(seed: 0, for: "prompt pool")
    var seen: Set<[Int]> = []
    var prompts: [[Int]] = []
    for entry in world.pool + brought {
      for _ in 0..<entry.count {
        let prompt =
          world.lexicon.opening + (try entry.template.fill(world.lexicon, using: &generator).tokens)
        if seen.insert(prompt).inserted { prompts.append(prompt) }
      }
    }
    pool = generator.permutation(prompts.count).map { prompts[$0] }
  }
}
