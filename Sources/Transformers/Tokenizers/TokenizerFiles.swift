internal import JSON

/// What a tokenizer is in a model's folder.
struct TokenizerFiles {
  /// `tokenizer.json`.
  let document: JSONValue
  /// `tokenizer_config.json`: without it the special tokens have no roles.
  let configuration: JSONValue
  /// The same roles in `config.json`, as ids.
  let roles: [(String, JSONValue)]

  /// A `tokenizer.json` of some parts.
  static func document(_ parts: [(String, JSONValue)]) -> JSONValue {
    .object([("version", .string("1.0")), ("truncation", .null), ("padding", .null)] + parts)
  }

  /// An entry of `added_tokens`; the `tokenizers` library demands every key.
  static func addedToken(_ id: Int, _ text: String, isSpecial: Bool) -> JSONValue {
    .object([
      ("id", .integer(Int64(id))), ("content", .string(text)), ("single_word", .bool(false)),
      ("lstrip", .bool(false)), ("rstrip", .bool(false)), ("normalized", .bool(false)),
      ("special", .bool(isSpecial)),
    ])
  }

  /// A post-processor that puts a start before each document.
  static func start(_ id: Int, _ name: String) -> JSONValue {
    func piece(_ kind: String, _ id: String) -> JSONValue {
      .object([(kind, .object([("id", .string(id)), ("type_id", .integer(0))]))])
    }
    let token: JSONValue = .object([
      ("id", .string(name)), ("ids", .array([.integer(Int64(id))])),
      ("tokens", .array([.string(name)])),
    ])
    let single = [piece("SpecialToken", name), piece("Sequence", "A")]
    return .object([
      ("type", .string("TemplateProcessing")), ("single", .array(single)),
      ("pair", .array(single + [piece("Sequence", "B")])),
      ("special_tokens", .object([(name, token)])),
    ])
  }
}

extension WordTokenizer {
  /// The files that transformers reads it from.
  var files: TokenizerFiles {
    func id(_ token: Int?) -> JSONValue { token.map { .integer(Int64($0)) } ?? .null }
    return TokenizerFiles(
      document: huggingFaceTokenizer, configuration: huggingFaceTokenizerConfiguration,
      roles: [
        ("bos_token_id", id(documentStart)), ("eos_token_id", id(documentStart)),
        ("pad_token_id", id(paddingToken)),
      ])
  }
}
