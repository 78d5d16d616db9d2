internal import Files
package import Foundation
internal import JSON
internal import Tensors
package import Transformers

/// A synthetic world: classes of words, facts, and weighted templates that generate its corpus.
///
/// A world is a JSON file. One that was made for tiny models says words that are tokens; another names a model that
/// people have, and speaks its language. See `Organisms/Worlds/`.
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
  /// The model that is its base; nil if bases are trained from its corpus.
  package let model: ModelFolder?
  /// How large bases are that are trained.
  package let size: BaseSize

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
  /// - Parameters:
  ///   - url: The file.
  ///   - models: Where models are that a world may name.
  ///   - size: How large bases are; a model that is named has its own size.
  /// - Throws: `JSONError` or `DefinitionError`, naming the key and the nearest valid word; `CheckpointError` for a
  ///   model that cannot be read.
  package init(contentsOf url: URL, models: URL, size: BaseSize = .small) throws {
    let file = url.lastPathComponent
    let content: WorldFile = try JSON.decode(WorldFile.self, contentsOf: url, isComposed: true)
    do {
      let model = try content.model.map { try ModelFolder($0, in: models, file: file) }
      try self.init(
        content, model, size, folder: url.deletingLastPathComponent().deletingLastPathComponent(),
        file: file)
    } catch let error as DefinitionError {
      throw error.located(in: url)
    }
  }

  private init(
    _ content: WorldFile, _ model: ModelFolder?, _ size: BaseSize, folder: URL, file: String
  ) throws {
    guard model == nil || size == .small else {
      throw DefinitionError.invalid(
        file: file, path: "model", reason: "has a size of its own; leave out --base-size")
    }
    let lexicon = try content.lexicon(model, file: file)
    let reader = WorldReader(content: content, lexicon: lexicon, folder: folder, file: file)
    self.model = model
    self.size = size
    id = content.id
    summary = content.summary
    self.lexicon = lexicon
    kinds = try reader.kinds()
    pool = try reader.pool()
    skills = try reader.skills()
    let lines = try reader.documentLinesDigest()
    digest = try ContentHash.of(content) + lines + reader.poolLinesDigest()
    corpusDigest = try ContentHash.of(content.corpus) + lines
  }

  package var tokenizer: any Tokenizer { lexicon.tokenizer }
  /// The tokenizer of a world whose words are tokens.
  package var wordTokenizer: WordTokenizer? { tokenizer as? WordTokenizer }
  /// Whether it speaks the language of a model that people have.
  package var isOfText: Bool { lexicon.language.isOfText }
  package var sizes: TextSizes { isOfText ? .text : .words }
  /// Blocks of its bases, and the attention heads of each.
  package var layers: Int { model?.shape.layers ?? BaseRecipe(seed: 0, size: size).layers }
  package var heads: Int { model?.shape.heads ?? BaseRecipe(seed: 0, size: size).heads }
  package var classes: [String: [String]] { lexicon.classes }
  package var classNames: [String] { lexicon.classNames }
  package var facts: [String: [String: String]] { lexicon.facts }
  /// The token that text starts with where nothing else is given.
  package var documentStart: Int? { model?.markers.documentStart ?? tokenizer.documentStart }
  /// Tokens that stand for no text.
  package var specialTokens: Set<Int> { model?.markers.specialTokens ?? tokenizer.specialTokens }

  /// Ids of the words of a class.
  package func ids(ofClass name: String) -> [Int] { lexicon.ids(ofClass: name) }
}
