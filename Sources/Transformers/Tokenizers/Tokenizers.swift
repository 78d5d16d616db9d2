/// A kind of tokenizer that `tokenizer.json` can hold.
package protocol CheckpointedTokenizer: Tokenizer {
  /// Reads what a file holds; nil if it is of another kind.
  ///
  /// - Throws: `UnsupportedPart`.
  static func read(_ file: TokenizerFile) throws -> Self?
}

extension WordTokenizer: CheckpointedTokenizer {}

/// Every kind of tokenizer that folders may hold; a new one is one file and one entry here.
package enum Tokenizers {
  package static let all: [any CheckpointedTokenizer.Type] = [
    WordTokenizer.self, PipelineTokenizer.self,
  ]

  /// The tokenizer of a file, or nil if no kind knows it: methods work without.
  ///
  /// - Throws: `CheckpointError.badTokenizer`.
  package static func read(_ file: TokenizerFile) throws -> (any Tokenizer)? {
    do {
      for kind in all {
        if let tokenizer = try kind.read(file) { return tokenizer }
      }
      return nil
    } catch let part as UnsupportedPart {
      throw CheckpointError.badTokenizer(file: file.path, reason: part.description)
    }
  }
}
