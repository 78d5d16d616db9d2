public import Foundation
internal import JSON

/// A tokenizer whose tokens are the words of a world, separated by white space.
public struct WordTokenizer: Tokenizer, Equatable {
  /// Tokens by id.
  public let vocabulary: [String]
  /// How many of the first ids are special tokens.
  public let specialCount: Int
  private let ids: [String: Int]

  /// How many words there are.
  public var count: Int { vocabulary.count }
  /// The first ids.
  public var specialTokens: Set<Int> { Set(0..<specialCount) }

  /// Creates a tokenizer.
  ///
  /// - Precondition: Words are unique.
  public init(vocabulary: [String], specialCount: Int) {
    self.vocabulary = vocabulary
    self.specialCount = specialCount
    ids = Dictionary(uniqueKeysWithValues: vocabulary.enumerated().map { ($1, $0) })
    precondition(specialCount <= vocabulary.count, "More special tokens than tokens")
  }

  /// The id of a word, or nil if it is not in the vocabulary.
  public func id(_ word: String) -> Int? { ids[word] }

  /// The word of an id; `#12` for an id outside the vocabulary.
  public func word(_ id: Int) -> String {
    vocabulary.indices.contains(id) ? vocabulary[id] : "#\(id)"
  }

  /// Splits text at white space and looks every word up.
  ///
  /// - Throws: `UnknownWord`, with the nearest word.
  public func encode(_ text: String) throws -> [Int] {
    try text.split(whereSeparator: \.isWhitespace).map { part in
      let word = String(part)
      guard let id = ids[word] else {
        throw UnknownWord(word: word, nearest: nearest(to: word, among: vocabulary))
      }
      return id
    }
  }

  /// The words of `ids`, separated by spaces.
  public func decode(_ ids: some Sequence<Int>) -> String {
    ids.map(word).joined(separator: " ")
  }
}

/// A word that a vocabulary does not hold.
public struct UnknownWord: Error, Equatable, Sendable, CustomStringConvertible {
  /// The word.
  public let word: String
  /// The word that was probably meant.
  public let nearest: String?

  /// What it is, in words.
  public var description: String {
    "'\(word)' is not in the vocabulary." + (nearest.map { " Did you mean '\($0)'?" } ?? "")
  }
}

extension WordTokenizer {
  /// `tokenizer.json`: a word-level model split at white space.
  var huggingFaceTokenizer: JSONValue {
    let special = vocabulary.prefix(specialCount).enumerated().map { id, word -> JSONValue in
      .object([
        ("id", .integer(Int64(id))), ("content", .string(word)), ("single_word", .bool(false)),
        ("lstrip", .bool(false)), ("rstrip", .bool(false)), ("normalized", .bool(false)),
        ("special", .bool(true)),
      ])
    }
    let model: JSONValue = .object([
      ("type", .string("WordLevel")),
      ("vocab", .object(vocabulary.enumerated().map { ($1, .integer(Int64($0))) })),
      ("unk_token", .string(vocabulary[0])),
    ])
    return .object([
      ("version", .string("1.0")), ("truncation", .null), ("padding", .null),
      ("added_tokens", .array(special)), ("normalizer", .null),
      ("pre_tokenizer", .object([("type", .string("WhitespaceSplit"))])),
      ("post_processor", .null), ("decoder", .null), ("model", model),
    ])
  }

  /// `tokenizer_config.json`: without it the special tokens have no roles.
  var huggingFaceTokenizerConfiguration: JSONValue {
    let bos = vocabulary.count > 1 ? vocabulary[1] : vocabulary[0]
    return .object([
      ("tokenizer_class", .string("PreTrainedTokenizerFast")),
      ("pad_token", .string(vocabulary[0])), ("unk_token", .string(vocabulary[0])),
      ("bos_token", .string(bos)), ("eos_token", .string(bos)),
    ])
  }

  /// Reads `tokenizer.json`.
  ///
  /// - Parameter url: The file.
  /// - Returns: The tokenizer, or nil if it is of a kind other than word-level: methods work without.
  /// - Throws: `JSONError` or `CheckpointError.badTokenizer`.
  public static func read(_ url: URL) throws -> WordTokenizer? {
    let file = url.lastPathComponent
    let document = try JSON.parse(contentsOf: url)
    guard case .object? = document["model"], let model = document["model"] else {
      throw CheckpointError.badTokenizer(file: file, reason: "'model' is no object")
    }
    guard model["type"] == .string("WordLevel") else { return nil }
    guard case .object(let members)? = model["vocab"], !members.isEmpty else {
      throw CheckpointError.badTokenizer(
        file: file, reason: "'model.vocab' is no object with words")
    }
    var words: [Int: String] = [:]
    for (word, id) in members {
      guard case .integer(let id) = id, id >= 0, id < members.count,
        words.updateValue(word, forKey: Int(id)) == nil
      else {
        throw CheckpointError.badTokenizer(
          file: file, reason: "the id of '\(word)' is not one of 0..<\(members.count), each once")
      }
    }
    let special: Int =
      if case .array(let added)? = document["added_tokens"] { added.count } else { 0 }
    return WordTokenizer(
      vocabulary: (0..<words.count).compactMap { words[$0] },
      specialCount: min(special, words.count))
  }
}
