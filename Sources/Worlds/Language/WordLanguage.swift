internal import Transformers

/// A language whose words are tokens, each with blanks around it.
struct WordLanguage: Language {
  let tokenizer: any Tokenizer
  let marks: Set<String>
  let words: [String]

  init(_ tokenizer: WordTokenizer) {
    self.tokenizer = tokenizer
    words = tokenizer.vocabulary
    marks = Set(tokenizer.specialTokens.compactMap(tokenizer.entry))
  }

  func id(_ word: String) -> Int? { tokenizer.id(word) }

  var sameWords: [Int]? { nil }

  func tokens(of words: [SaidWord]) throws -> SaidTokens {
    let tokens = try words.map { word in
      guard let id = id(word.text) else {
        throw UnsayableText(reason: "'\(word.text)' is not in the vocabulary, but a slot says it")
      }
      return id
    }
    let mark = tokens.lastIndex(where: tokenizer.specialTokens.contains)
    return SaidTokens(
      tokens: tokens, answerLength: tokens.count - (mark.map { $0 + 1 } ?? 0), ending: [])
  }

  func words(of tokens: [Int]) -> [String] { tokens.map(tokenizer.word) }

  func normal(_ word: String) -> [String] { [word] }
}
