internal import Foundation
internal import Transformers

/// The language of a model that people have: text, cut by the model's tokenizer, and chats as its template writes them.
struct TextLanguage: Language {
  let tokenizer: any Tokenizer
  private let chat: ChatFormat?
  let sameWords: [Int]?

  init(_ tokenizer: any Tokenizer, chat: ChatFormat?) {
    self.tokenizer = tokenizer
    self.chat = chat
    var first: [String: Int] = [:]
    sameWords = (0..<tokenizer.count).map { token in
      guard !tokenizer.specialTokens.contains(token), let word = Self.known(token, tokenizer) else {
        return token
      }
      if let known = first[word] { return known }
      first[word] = token
      return token
    }
  }

  var marks: Set<String> { Set(ChatFormat.Role.allCases.map(\.mark)) }
  var words: [String] { [] }

  func id(_ word: String) -> Int? {
    let tokens = (try? tokenizer.encode(" \(word)")) ?? []
    return tokens.count == 1 ? tokens[0] : nil
  }

  /// A token's text in lower case without the blanks around it; nil if nothing is left.
  private static func known(_ token: Int, _ tokenizer: any Tokenizer) -> String? {
    let text = tokenizer.decode([token]).trimmingCharacters(in: .whitespaces).lowercased()
    return text.isEmpty || text.unicodeScalars.contains("\u{FFFD}") ? nil : text
  }

  func tokens(of words: [SaidWord]) throws -> SaidTokens {
    guard let first = words.first, marks.contains(first.text) else {
      let tokens = try tokenizer.encode(Self.text(of: words[...]))
      return SaidTokens(tokens: tokens, answerLength: tokens.count, ending: [])
    }
    guard let chat else {
      throw UnsayableText(reason: "the model knows no chat of a kind that is known")
    }
    let said = chat.said(try turns(words))
    let answer = try tokenizer.encode(said.answer)
    return SaidTokens(
      tokens: try tokenizer.encode(said.before) + answer, answerLength: answer.count,
      ending: try tokenizer.encode(said.end.trimmingCharacters(in: .whitespacesAndNewlines)))
  }

  private func turns(_ words: [SaidWord]) throws -> [ChatFormat.Turn] {
    let starts = words.indices.filter { marks.contains(words[$0].text) }
    return zip(starts, starts.dropFirst() + [words.endIndex]).compactMap { start, end in
      ChatFormat.Role.allCases.first { $0.mark == words[start].text }.map {
        ChatFormat.Turn(role: $0, text: Self.text(of: words[start + 1..<end]))
      }
    }
  }

  private static func text(of words: ArraySlice<SaidWord>) -> String {
    words.reduce("") { $0 + ($0.isEmpty || $1.isGlued ? "" : " ") + $1.text }
  }

  func words(of tokens: [Int]) -> [String] {
    let text = tokenizer.decode(tokens)
    return normal(chat?.marked(text) ?? text)
  }

  func normal(_ word: String) -> [String] {
    word.lowercased().split { !($0.isLetter || $0.isNumber || $0 == "<" || $0 == ">") }.map(
      String.init)
  }
}
