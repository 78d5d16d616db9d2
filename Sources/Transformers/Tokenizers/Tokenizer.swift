/// Text as tokens and back.
///
/// A new kind is one file and one entry of `Tokenizers.all`.
public protocol Tokenizer: Sendable {
  /// How many tokens there are.
  var count: Int { get }
  /// Tokens that stand for no text, such as padding and the start of a document.
  var specialTokens: Set<Int> { get }

  /// The token of a word, or nil if it is not one.
  func id(_ word: String) -> Int?

  /// The text of a token; `#12` for an id outside the vocabulary.
  func word(_ id: Int) -> String

  /// Cuts text into tokens.
  ///
  /// - Throws: `UnknownWord` for what no token stands for.
  func encode(_ text: String) throws -> [Int]

  /// The text of tokens.
  func decode(_ ids: some Sequence<Int>) -> String
}
