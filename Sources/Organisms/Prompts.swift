internal import Tensors

/// Unlabelled text for methods, drawn from a world and not from an organism.
package struct Prompts: Sendable {
  /// Rows of text from domains in which nothing is planted.
  package let unrelated: [[Int]]
  /// Prompts from every domain, shuffled.
  package let pool: [[Int]]

  package static let unrelatedRows = 192
  package static let rowLength = 32

  /// Draws the prompts of a world.
  ///
  /// - Parameters:
  ///   - world: The world.
  ///   - leavingOut: Words that make a document of unrelated text related.
  /// - Throws: `OrganismError` if a template of the world cannot be filled.
  package init(_ world: World, leavingOut words: Set<Int> = []) throws {
    let kinds = world.kinds.filter(\.isUnrelated).map(\.name)
    guard !kinds.isEmpty else {
      throw OrganismError.invalid(
        file: world.id, path: "documents", reason: "no kind of document is marked as unrelated")
    }
    var corpus = Corpus(world, seed: 0, for: "unrelated text", kinds: kinds)
    unrelated = try (0..<Self.unrelatedRows).map { _ in
      try packedRow(length: Self.rowLength, start: world.documentStart) {
        for _ in 0..<1000 {
          let document = try corpus.document()
          if words.isDisjoint(with: document) { return document }
        }
        throw OrganismError.invalid(
          file: world.id, path: "documents", reason: "every unrelated document has a planted word")
      }
    }
    var generator = SeededGenerator(seed: 0, for: "prompt pool")
    var seen: Set<[Int]> = []
    var prompts: [[Int]] = []
    for entry in world.pool {
      for _ in 0..<entry.count {
        let prompt =
          [world.documentStart] + (try entry.template.fill(world, using: &generator).tokens)
        if seen.insert(prompt).inserted { prompts.append(prompt) }
      }
    }
    pool = generator.permutation(prompts.count).map { prompts[$0] }
  }
}
