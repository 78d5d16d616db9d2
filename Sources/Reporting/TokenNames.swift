internal import Transformers

/// Tokens and rows of them as people read them; numbers where there is no tokenizer.
struct TokenNames: Sendable {
  private let tokenizer: (any Tokenizer)?

  init(_ tokenizer: (any Tokenizer)?) { self.tokenizer = tokenizer }

  /// A token on its own.
  func word(_ token: Int) -> String { tokenizer?.word(token) ?? "#\(token)" }

  /// A row as the text that it is, on one line.
  func text(_ tokens: [Int]) -> String {
    tokenizer?.line(tokens) ?? tokens.map(word).joined(separator: " ")
  }
}
