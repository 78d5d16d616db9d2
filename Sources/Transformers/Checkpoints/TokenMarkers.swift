internal import JSON

/// The tokens of a model that stand for no text, by the files of its folder.
public struct TokenMarkers: Sendable, Equatable {
  /// The token that starts each document; nil if the folder names none.
  public let documentStart: Int?
  /// Tokens that no ranking should name: padding, starts, ends, roles of a chat.
  public let specialTokens: Set<Int>

  /// Names them.
  public init(documentStart: Int?, specialTokens: Set<Int>) {
    self.documentStart = documentStart
    self.specialTokens = specialTokens
  }

  /// What the tokenizer says leads; without one, what `config.json` says.
  init(_ tokenizer: TokenizerFile?, _ configuration: JSONValue, vocabulary: Int) {
    func ids(_ key: String) -> [Int] {
      let values: [JSONValue] =
        switch configuration[key] {
        case .array(let values)?: values
        case let value?: [value]
        case nil: []
        }
      return values.compactMap { value in
        guard case .integer(let id) = value, (0..<Int64(vocabulary)).contains(id) else {
          return nil
        }
        return Int(id)
      }
    }
    let start = tokenizer?.documentStart ?? ids("bos_token_id").first
    documentStart = start.flatMap { (0..<vocabulary).contains($0) ? $0 : nil }
    let special =
      tokenizer?.specialTokens
      ?? Set(["bos_token_id", "eos_token_id", "pad_token_id"].flatMap(ids))
    specialTokens = special.filter { (0..<vocabulary).contains($0) }
  }

  /// The markers of a pair: those of either, within the vocabulary that both have.
  package init(_ base: TokenMarkers, _ finetuned: TokenMarkers, vocabulary: Int) {
    documentStart = [base.documentStart, finetuned.documentStart].lazy.compactMap { $0 }
      .first { $0 < vocabulary }
    specialTokens = base.specialTokens.union(finetuned.specialTokens).filter { $0 < vocabulary }
  }
}
