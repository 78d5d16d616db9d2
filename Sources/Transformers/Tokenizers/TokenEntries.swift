internal import JSON

/// The tokens of a model and those that were added to it, by id and by spelling.
struct TokenEntries: Sendable, Equatable {
  private(set) var texts: [Int: String] = [:]
  private var ids: [Spelling: Int] = [:]

  /// Puts the tokens of a model and added ones together.
  ///
  /// - Throws: `UnsupportedPart` if a text has two ids, or an id two texts.
  init(_ vocabulary: [(text: String, id: Int)], added: [TokenizerFile.AddedToken]) throws {
    for entry in vocabulary { try insert(entry.text, entry.id) }
    for token in added { try insert(token.text, token.id) }
  }

  private mutating func insert(_ text: String, _ id: Int) throws {
    let spelling = Spelling(text)
    guard ids.updateValue(id, forKey: spelling) ?? id == id else {
      throw UnsupportedPart("'\(Printable.quoted(text))' has two ids")
    }
    guard texts.updateValue(text, forKey: id).map({ Spelling($0) == spelling }) ?? true else {
      throw UnsupportedPart("the id \(id) of '\(Printable.quoted(text))' is another word's too")
    }
  }

  /// One more than the highest id.
  var count: Int { (texts.keys.max() ?? -1) + 1 }

  /// The id of a text, or nil if it is no token.
  func id(_ text: String) -> Int? { ids[Spelling(text)] }
}
