internal import JSON

/// What a tokenizer is in a model's folder.
struct TokenizerFiles {
  /// `tokenizer.json`.
  let document: JSONValue
  /// `tokenizer_config.json`: without it the special tokens have no roles.
  let configuration: JSONValue
  /// The same roles in `config.json`, as ids.
  let roles: [(String, JSONValue)]
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
