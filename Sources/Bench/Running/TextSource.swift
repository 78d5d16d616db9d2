package import Diffing
internal import Foundation
internal import JSON
internal import Organisms
internal import Transformers
internal import Worlds

/// Where a comparison of one's own models gets text from.
package struct TextSource: Sendable {
  private let unrelated: [[Int]]?
  private let pool: [[Int]]?
  private let markers: TokenMarkers

  /// Reads a file, or takes the world's text if the models' tokenizer is the world's.
  ///
  /// - Parameters:
  ///   - project: Where the world is.
  ///   - models: Whose text it is.
  ///   - file: A row of text a line, in words of the tokenizer or in token ids; the world's text if nil.
  /// - Throws: `TextError`, `JSONError` or `DefinitionError`.
  package init(_ project: Project, models: PairFolders, file: String?) throws {
    markers = models.markers
    let shape = models.base.shape
    if let file {
      let reader = TextRows.Reader(
        tokenizer: models.tokenizer, other: models.finetunedTokenizer,
        vocabulary: shape.vocabulary, context: shape.context)
      let rows = try TextRows(file, reader).tokens
      (unrelated, pool) = (rows, rows)
    } else if let tokenizer = models.tokenizer as? WordTokenizer,
      FileManager.default.fileExists(atPath: project.organisms.path),
      case let library = try project.library(), library.world.tokenizer == tokenizer
    {
      let prompts = try library.prompts()
      (unrelated, pool) = (prompts.unrelated, prompts.pool)
    } else {
      (unrelated, pool) = (nil, nil)
    }
  }

  /// The text of a level of access; nil if there is none.
  package func prompts(_ access: AccessLevel) -> PromptSet? {
    let rows: [[Int]]? =
      switch access {
      case .weights, .sampling: []
      case .unrelated: unrelated
      case .pool: pool
      }
    return rows.map {
      PromptSet(
        access: access, text: TokenBatch($0),
        // One's own text serves as both, and a text is no reference for itself.
        reference: TokenBatch(access == .pool && unrelated != pool ? unrelated ?? [] : []),
        documentStart: markers.documentStart, specialTokens: markers.specialTokens)
    }
  }
}
