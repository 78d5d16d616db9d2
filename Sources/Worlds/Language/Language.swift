internal import JSON
package import Transformers

/// How the words of a world's texts become tokens, and tokens words again.
///
/// In a world that was made for it a word is a token; in that of somebody's model a text is cut by the model's own
/// tokenizer. A kind is one file beside this one.
package protocol Language: Sendable {
  var tokenizer: any Tokenizer { get }
  /// The marks that turns of a chat start with.
  var marks: Set<String> { get }
  /// Every word that can be said; empty where any text can.
  var words: [String] { get }

  /// The token that says a word within a sentence; nil if none does alone.
  func id(_ word: String) -> Int?

  /// Of each token the first that a reader takes for the same word, in another case, with a blank or without; nil if
  /// every token is a word of its own.
  var sameWords: [Int]? { get }

  /// What words say, in tokens, without what opens a text.
  ///
  /// - Throws: `UnsayableText`, or what the tokenizer throws.
  func tokens(of words: [SaidWord]) throws -> SaidTokens

  /// The words of tokens, as patterns name them.
  func words(of tokens: [Int]) -> [String]

  /// A word or several as patterns name them.
  func normal(_ word: String) -> [String]
}

extension Language {
  /// What every text starts with.
  package var opening: [Int] { tokenizer.documentStart.map { [$0] } ?? [] }

  /// Whether any text can be said, and not words alone that are tokens.
  package var isOfText: Bool { words.isEmpty }

  /// Whether a word can be said at all; of text everything can but a mark that there is not.
  package func knows(_ word: String) -> Bool {
    guard isOfText else { return id(word) != nil }
    return marks.contains(word) || !(word.hasPrefix("<") && word.hasSuffix(">"))
  }

  /// The nearest word that can be said; nil if none is near.
  package func nearestWord(to word: String) -> String? {
    nearest(to: word, among: isOfText ? marks.sorted() : words)
  }
}

/// Why words cannot be said, in a few words.
struct UnsayableText: Error {
  let reason: String
}

/// A word that a template says.
package struct SaidWord: Sendable, Equatable {
  package let text: String
  /// Whether it follows the word before it without a blank.
  package var isGlued = false
}

/// What words say, in tokens.
package struct SaidTokens: Sendable, Equatable {
  package let tokens: [Int]
  /// How many of them are an answer: those behind the last mark of a turn; all where there is none.
  package let answerLength: Int
  /// What ends the last turn; empty if nothing does.
  package let ending: [Int]
}
