internal import Files
package import Foundation
internal import JSON
internal import Tensors
package import Transformers

/// A synthetic world: classes of words, facts, and weighted templates that generate its corpus.
///
/// A world is a JSON file; a word is a token. See `Organisms/Worlds/`.
package struct World: Sendable {
  package let id: String
  package let summary: String
  /// Words, classes and facts.
  package let lexicon: Lexicon
  /// Kinds of documents with their templates.
  package let kinds: [DocumentKind]
  package let pool: [(template: Template, count: Int)]
  package let skills: [Skill]
  /// The digest of all that decides the world's corpus: everything but the pool and the skills.
  package let corpusDigest: String
  /// The digest of the whole world.
  package let digest: String

  /// A kind of document, such as recipes.
  package struct DocumentKind: Sendable {
    package let name: String
    package let weight: Double
    /// Whether it is a domain in which nothing is ever planted.
    package let isUnrelated: Bool
    package let templates: [(template: Template, weight: Double)]
  }

  /// Something that a trained base must be able to do.
  package struct Skill: Sendable {
    package let id: String
    let probe: Probe
    package let bounds: ClosedRange<Double>
  }

  /// Reads a world file.
  ///
  /// - Parameter url: The file.
  /// - Throws: `JSONError` or `DefinitionError`, naming the key and the nearest valid word.
  package init(contentsOf url: URL) throws {
    let file = url.lastPathComponent
    let content: WorldFile = try JSON.decode(WorldFile.self, contentsOf: url, isComposed: true)
    do {
      try self.init(content, file: file)
    } catch let error as DefinitionError {
      throw error.located(in: url)
    }
  }

  private init(_ content: WorldFile, file: String) throws {
    let lexicon = try content.lexicon(file: file)
    let reader = WorldReader(content: content, lexicon: lexicon, file: file)
    id = content.id
    summary = content.summary
    self.lexicon = lexicon
    kinds = try reader.kinds()
    pool = try reader.pool()
    skills = try reader.skills()
    digest = try ContentHash.of(content)
    corpusDigest = try ContentHash.of(content.corpus)
  }

  package var tokenizer: WordTokenizer { lexicon.tokenizer }
  package var classes: [String: [String]] { lexicon.classes }
  package var classNames: [String] { lexicon.classNames }
  package var facts: [String: [String: String]] { lexicon.facts }
  package var documentStart: Int { lexicon.documentStart }

  /// Ids of the words of a class.
  package func ids(ofClass name: String) -> [Int] { lexicon.ids(ofClass: name) }
}
