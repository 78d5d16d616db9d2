internal import JSON

/// Text as tokens and back.
///
/// A new kind is one file and one entry of `Tokenizers.all`.
public protocol Tokenizer: Sendable {
  /// How many ids there are: one more than the highest.
  var count: Int { get }
  /// Tokens that stand for no text, such as padding and the start of a document.
  var specialTokens: Set<Int> { get }
  /// The token that starts each document; nil if none does.
  var documentStart: Int? { get }

  /// The token of a word, or nil if it is not one.
  func id(_ word: String) -> Int?

  /// The text of a token; `#12` for an id outside the vocabulary.
  func word(_ id: Int) -> String

  /// Cuts text into tokens, without what surrounds a document.
  ///
  /// - Throws: `UnknownWord` for what no token stands for.
  func encode(_ text: String) throws -> [Int]

  /// Cuts a document into tokens, with those that the tokenizer puts around it.
  ///
  /// A start that is written out is not put there twice.
  ///
  /// - Throws: As `encode`.
  func document(_ text: String) throws -> [Int]

  /// The text of tokens.
  func decode(_ ids: some Sequence<Int>) -> String
}

extension Tokenizer {
  /// The ids that mean other words in another tokenizer, of those that both have.
  public func disagreements(with other: any Tokenizer) -> [Int] {
    (0..<min(count, other.count)).filter { Spelling(word($0)) != Spelling(other.word($0)) }
  }
}
