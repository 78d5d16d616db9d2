internal import JSON
internal import Transformers

/// The words that a page names, each once: elsewhere it has their places.
struct WordTable {
  /// Knows the words of token ids; without it they are numbers.
  var tokenizer: (any Tokenizer)?
  private var places: [String: Int] = [:]
  private var words: [String] = []

  /// - Parameter tokenizer: Knows the words of token ids; without it they are numbers.
  init(_ tokenizer: (any Tokenizer)?) { self.tokenizer = tokenizer }

  /// A token's place in the table.
  mutating func place(_ token: Int) -> JSONValue {
    let word = tokenizer?.word(token) ?? "#\(token)"
    if let place = places[word] { return .count(place) }
    places[word] = words.count
    words.append(word)
    return .count(words.count - 1)
  }

  mutating func places(_ tokens: some Sequence<Int>) -> JSONValue {
    .array(tokens.map { place($0) })
  }

  var json: JSONValue { .texts(words) }
}
