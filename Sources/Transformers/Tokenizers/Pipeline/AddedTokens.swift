internal import JSON

/// Finds tokens that were added to a vocabulary: they are tokens wherever they stand, before anything else is cut.
struct AddedTokens: Sendable {
  /// A part of a text: a token, or what is still to be cut.
  enum Part {
    case token(Int)
    case text(String)
  }

  private struct Node {
    var children: [UInt8: Int] = [:]
    /// The token that ends here, by its place among all.
    var token: Int?
  }

  private let tokens: [TokenizerFile.AddedToken]
  private var nodes = [Node()]

  /// Takes tokens, each with the text that it is found by.
  init(_ tokens: [(token: TokenizerFile.AddedToken, text: String)]) {
    self.tokens = tokens.map(\.token)
    for (index, entry) in tokens.enumerated() where !entry.text.isEmpty {
      insert(Array(entry.text.utf8), index)
    }
  }

  private mutating func insert(_ bytes: [UInt8], _ index: Int) {
    var node = 0
    for byte in bytes {
      if let next = nodes[node].children[byte] {
        node = next
      } else {
        nodes.append(Node())
        nodes[node].children[byte] = nodes.count - 1
        node = nodes.count - 1
      }
    }
    if nodes[node].token == nil { nodes[node].token = index }
  }

  /// Cuts a text at its added tokens; of several that start at one place the longest is meant.
  func parts(of text: String) -> [Part] {
    guard nodes.count > 1 else { return text.isEmpty ? [] : [.text(text)] }
    let bytes = Array(text.utf8)
    var parts: [Part] = [], taken = 0, position = 0
    while position < bytes.count {
      guard let (index, length) = longest(bytes, at: position) else {
        position += 1
        continue
      }
      let end = position + length, token = tokens[index]
      defer { position = end }
      if token.isWholeWord, isWithinWord(bytes, position, end) { continue }
      let start = token.stripsLeft ? max(taken, blanks(bytes, before: position)) : position
      if taken < start { parts.append(.text(string(bytes[taken..<start]))) }
      parts.append(.token(token.id))
      taken = token.stripsRight ? blanks(bytes, after: end) : end
    }
    if taken < bytes.count { parts.append(.text(string(bytes[taken...]))) }
    return parts
  }

  private func longest(_ bytes: [UInt8], at position: Int) -> (token: Int, length: Int)? {
    var node = 0, found: (Int, Int)?, index = position
    while index < bytes.count, let next = nodes[node].children[bytes[index]] {
      node = next
      index += 1
      if let token = nodes[node].token { found = (token, index - position) }
    }
    return found
  }

  private func string(_ bytes: ArraySlice<UInt8>) -> String {
    String(decoding: bytes, as: UTF8.self)
  }

  private func isWithinWord(_ bytes: [UInt8], _ start: Int, _ end: Int) -> Bool {
    string(bytes[..<start]).unicodeScalars.last?.isOfWord == true
      || string(bytes[end...]).unicodeScalars.first?.isOfWord == true
  }

  /// Where the white space before a place starts.
  private func blanks(_ bytes: [UInt8], before end: Int) -> Int {
    let scalars = string(bytes[..<end]).unicodeScalars.reversed()
    return end
      - scalars.prefix(while: \.properties.isWhitespace).map { $0.utf8.count }.reduce(0, +)
  }

  /// Where the white space behind a place ends.
  private func blanks(_ bytes: [UInt8], after start: Int) -> Int {
    let scalars = string(bytes[start...]).unicodeScalars
    return start
      + scalars.prefix(while: \.properties.isWhitespace).map { $0.utf8.count }.reduce(0, +)
  }
}

extension Unicode.Scalar {
  /// Whether it is of a word, as Rust's `\w` has it.
  fileprivate var isOfWord: Bool {
    switch properties.generalCategory {
    case .decimalNumber, .connectorPunctuation: true
    default: isMark || properties.isAlphabetic || self == "\u{200C}" || self == "\u{200D}"
    }
  }
}
