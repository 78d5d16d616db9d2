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

  /// Whether every token is a whole word, as in Assay's own worlds.
  var isOfWholeWords: Bool { get }

  /// The token that the vocabulary spells so, or nil if none.
  func id(_ word: String) -> Int?

  /// How the vocabulary spells a token; nil for an id outside it.
  func entry(_ id: Int) -> String?

  /// A token as people read it: blanks visible, bytes of no character by number; `#12` for an id outside the
  /// vocabulary.
  func word(_ id: Int) -> String

  /// Cuts text into tokens, without what surrounds a document.
  ///
  /// - Throws: `UnknownWord` for what no token stands for, where none stands for what is unknown.
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
  /// The text of tokens on one line, what acts on a terminal written out.
  public func line(_ ids: some Sequence<Int>) -> String { Printable.line(decode(ids)) }

  /// The ids that mean other words in another tokenizer, of those that both have.
  public func disagreements(with other: any Tokenizer) -> [Int] {
    (0..<min(count, other.count)).filter {
      entry($0).map { Spelling($0) } != other.entry($0).map { Spelling($0) }
    }
  }
}
