package import Diffing
internal import Foundation
internal import JSON
internal import Organisms
package import Transformers
internal import Worlds

/// Where a comparison of one's own models gets text from.
package struct TextSource: Sendable {
  private let unrelated: [[Int]]?
  private let pool: [[Int]]?
  private let markers: TokenMarkers
  private let limits: ReadingLimits

  /// The files that a user names; what he does not name is the world's or comes with Assay.
  package struct Files: Sendable {
    let text, prompts: String?
    let putsPlainly: Bool

    /// Names files.
    ///
    /// - Parameters:
    ///   - text: Ordinary text, a row a line; serves as prompts too if none are named. `wordnet` for its glosses.
    ///   - prompts: Prompts, a line each.
    ///   - putsPlainly: Whether prompts are put as they are to models that know a chat.
    package init(text: String? = nil, prompts: String? = nil, putsPlainly: Bool = false) {
      self.text = text
      self.prompts = prompts
      self.putsPlainly = putsPlainly
    }
  }

  /// Reads files, or takes the world's text if the models' tokenizer is the world's, or what comes with Assay if they
  /// have a tokenizer of text.
  ///
  /// - Parameters:
  ///   - project: Where the world is.
  ///   - models: Whose text it is.
  ///   - files: What the user names.
  /// - Throws: `TextError`, `JSONError` or `DefinitionError`.
  package init(_ project: Project, models: PairFolders, files: Files) throws {
    markers = models.markers
    limits = ReadingLimits(
      parameters: models.base.parameters.layout.count, models.base.shape)
    let reader = TextRows.Reader(models)
    let chat = files.putsPlainly ? nil : models.chat
    let text = try files.text.map { try Self.text($0, reader) }
    let prompts = try files.prompts.map { try TextRows($0, reader, chat: chat).tokens }
    if text == nil, prompts == nil, let own = try Self.ofWorld(project, models.tokenizer) {
      (unrelated, pool) = (own.unrelated, own.pool)
      return
    }
    let neutral = reader.rows(of: ShippedTexts.neutral(project))
    let questions = reader.rows(of: ShippedTexts.prompts(project), chat: chat)
    let own = text ?? (neutral.isEmpty ? nil : neutral)
    unrelated = own
    pool = prompts ?? text ?? (questions.isEmpty ? own : questions)
  }

  /// Ordinary text for one model, rows of any length: a file's, the world's if the tokenizer is the world's, or what comes
  /// with Assay.
  ///
  /// - Parameters:
  ///   - project: Where the world is.
  ///   - model: Who reads it.
  ///   - file: What the user names.
  /// - Throws: `TextError` if there is none, `JSONError` or `DefinitionError`.
  package static func running(_ project: Project, _ model: Checkpoint, file: String?) throws
    -> [[Int]]
  {
    try running(
      project,
      TextRows.Reader(
        tokenizer: model.tokenizer, other: nil, vocabulary: model.model.shape.vocabulary,
        context: .max), file)
  }

  /// The same for a pair of models.
  ///
  /// - Throws: As above.
  package static func running(_ project: Project, _ models: PairFolders, file: String?) throws
    -> [[Int]]
  {
    try running(
      project,
      TextRows.Reader(
        tokenizer: models.tokenizer, other: models.finetunedTokenizer,
        vocabulary: models.base.shape.vocabulary, context: .max), file)
  }

  private static func running(_ project: Project, _ reader: TextRows.Reader, _ file: String?) throws
    -> [[Int]]
  {
    if let file { return try text(file, reader) }
    if let own = try ofWorld(project, reader.tokenizer) { return own.unrelated }
    let neutral = reader.rows(of: ShippedTexts.neutral(project))
    guard !neutral.isEmpty else {
      throw TextError(
        file: "--text", line: nil,
        reason: "nothing that comes with Assay can be read by these models; name a file.")
    }
    return neutral
  }

  private static func text(_ name: String, _ reader: TextRows.Reader) throws -> [[Int]] {
    name == ShippedTexts.wordNet
      ? reader.rows(of: try ShippedTexts.glosses()) : try TextRows(name, reader).tokens
  }

  /// The text of the project's world, if the tokenizer is the world's.
  private static func ofWorld(_ project: Project, _ tokenizer: (any Tokenizer)?) throws
    -> (unrelated: [[Int]], pool: [[Int]])?
  {
    guard let library = try project.library(of: tokenizer) else { return nil }
    let prompts = try library.prompts()
    return (prompts.unrelated, prompts.pool)
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
        documentStart: markers.documentStart, specialTokens: markers.specialTokens,
        limits: limits)
    }
  }
}

extension Project {
  /// The project's library, if a tokenizer is its world's.
  fileprivate func library(of tokenizer: (any Tokenizer)?) throws -> Library? {
    guard let tokenizer = tokenizer as? WordTokenizer,
      FileManager.default.fileExists(atPath: organisms.path),
      case let library = try library(), library.world.wordTokenizer == tokenizer
    else { return nil }
    return library
  }

  /// The project's world, if a tokenizer is the world's.
  func world(of tokenizer: (any Tokenizer)?) throws -> World? {
    try library(of: tokenizer)?.world
  }
}
