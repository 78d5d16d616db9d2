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
  private let documentStart: Int
  private let specialTokens: Set<Int>

  /// Reads a file, or takes the world's text if the models' tokenizer is the world's.
  ///
  /// - Parameters:
  ///   - project: Where the world is.
  ///   - tokenizer: The models'.
  ///   - file: A row of text a line, in words of the tokenizer or in token ids; the world's text if nil.
  /// - Throws: `JSONError.unreadable`, `JSONError.invalid`, `UnknownWord` or `DefinitionError`.
  package init(_ project: Project, tokenizer: (any Tokenizer)?, file: String?) throws {
    documentStart = min(1, (tokenizer?.count ?? 2) - 1)
    specialTokens = tokenizer?.specialTokens ?? []
    if let file {
      let rows = try Self.rows(file, tokenizer)
      (unrelated, pool) = (rows, rows)
    } else if let tokenizer, FileManager.default.fileExists(atPath: project.organisms.path),
      case let world = try project.library().world, world.tokenizer == tokenizer as? WordTokenizer
    {
      let prompts = try Prompts(world)
      (unrelated, pool) = (prompts.unrelated, prompts.pool)
    } else {
      (unrelated, pool) = (nil, nil)
    }
  }

  private static func rows(_ file: String, _ tokenizer: (any Tokenizer)?) throws -> [[Int]] {
    guard let text = try? String(contentsOf: URL(filePath: file), encoding: .utf8) else {
      throw JSONError.unreadable(file: file, reason: "no such file, or not UTF-8")
    }
    return try text.split(separator: "\n").map { line in
      let words = line.split(whereSeparator: \.isWhitespace)
      let ids = words.compactMap { Int($0) }
      if ids.count == words.count, tokenizer?.id(String(words.first ?? "")) == nil { return ids }
      guard let tokenizer else {
        throw JSONError.invalid(
          file: file, path: String(line), reason: "the models have no tokenizer, so write token ids"
        )
      }
      return [1] + (try tokenizer.encode(String(line)))
    }.filter { !$0.isEmpty }
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
        documentStart: documentStart, specialTokens: specialTokens)
    }
  }
}
