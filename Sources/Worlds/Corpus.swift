internal import Tensors

/// Draws documents from a world and packs them into rows.
package struct Corpus: Sendable {
  private let world: World
  private let kinds: [World.DocumentKind]
  private let unsaid: Set<Int>
  private var generator: SeededGenerator

  /// Starts a stream of documents.
  ///
  /// - Parameters:
  ///   - world: Where they come from.
  ///   - seed: Decides the stream.
  ///   - purpose: Names the stream, so that streams for different purposes differ.
  ///   - kinds: The kinds of document to draw; all if nil.
  ///   - unsaid: Tokens that no document may hold; those that do are drawn again.
  package init(
    _ world: World, seed: UInt64, for purpose: String, kinds: [String]? = nil,
    unsaid: Set<Int> = []
  ) {
    self.world = world
    self.unsaid = unsaid
    self.kinds = world.kinds.filter { kinds?.contains($0.name) ?? true }
    generator = SeededGenerator(seed: seed, for: purpose)
    precondition(!self.kinds.isEmpty, "A corpus needs a kind of document")
  }

  /// Draws one document, its start token not included.
  ///
  /// - Throws: `DefinitionError` if a template asks for a fact that the world does not know, or if no
  ///   document without the unsaid tokens is found.
  package mutating func document() throws -> FilledTemplate {
    for _ in 0..<Self.patience {
      let document = try anyDocument()
      if unsaid.isEmpty || unsaid.isDisjoint(with: document.document) { return document }
    }
    throw DefinitionError.invalid(
      file: world.id, path: "documents",
      reason: "hardly any document is without the words that 'unsaid' keeps out")
  }

  /// Draws in search of a document without unsaid tokens.
  private static let patience = 1000

  private mutating func anyDocument() throws -> FilledTemplate {
    let kind = kinds[generator.index(weights: kinds.map(\.weight))]
    let template = kind.templates[generator.index(weights: kind.templates.map(\.weight))].template
    return try template.fill(world.lexicon, using: &generator)
  }

  /// Fills rows of at most `length` tokens.
  package mutating func textRows(_ count: Int, length: Int) throws -> [TextRow] {
    try (0..<count).map { _ in try world.row(length: length) { try document() } }
  }

  /// The tokens of such rows.
  package mutating func rows(_ count: Int, length: Int) throws -> [[Int]] {
    try textRows(count, length: length).map(\.tokens)
  }
}
