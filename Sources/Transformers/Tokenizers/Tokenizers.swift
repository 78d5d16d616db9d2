package import Foundation

/// A kind of tokenizer that `tokenizer.json` can hold.
package protocol CheckpointedTokenizer: Tokenizer {
  /// Reads `tokenizer.json`; nil if it is of another kind.
  ///
  /// - Throws: `JSONError` or `CheckpointError.badTokenizer`.
  static func read(_ url: URL) throws -> Self?
}

extension WordTokenizer: CheckpointedTokenizer {}

/// Every kind of tokenizer that folders may hold; a new one is one file and one entry here.
package enum Tokenizers {
  package static let all: [any CheckpointedTokenizer.Type] = [WordTokenizer.self]

  /// Reads `tokenizer.json`.
  ///
  /// - Returns: The tokenizer, or nil if it is of no kind that is known: methods work without.
  /// - Throws: `JSONError` or `CheckpointError.badTokenizer`.
  package static func read(_ url: URL) throws -> (any Tokenizer)? {
    for kind in all {
      if let tokenizer = try kind.read(url) { return tokenizer }
    }
    return nil
  }
}
