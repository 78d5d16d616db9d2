internal import JSON

extension WordTokenizer {
  private func words(_ ids: Set<Int>) -> [(id: Int, word: String)] {
    ids.sorted().map { ($0, word($0)) }
  }

  /// `tokenizer.json`: a word-level model split at white space.
  ///
  /// Words without special tokens have the first one stand for what is unknown.
  var huggingFaceTokenizer: JSONValue {
    let special = words(specialTokens).map {
      TokenizerFiles.addedToken($0.id, $0.word, isSpecial: true)
    }
    let model: JSONValue = .object([
      ("type", .string("WordLevel")),
      ("vocab", .object(vocabulary.map { ($0, .integer(Int64(id($0) ?? 0))) })),
      ("unk_token", .string(padding)),
    ])
    return TokenizerFiles.document([
      ("added_tokens", .array(special)), ("normalizer", .null),
      ("pre_tokenizer", .object([("type", .string("WhitespaceSplit"))])),
      ("post_processor", documentStart.map { TokenizerFiles.start($0, word($0)) } ?? .null),
      ("decoder", .null), ("model", model),
    ])
  }

  /// The first special token that starts no document.
  var paddingToken: Int? { specialTokens.sorted().first { $0 != documentStart } }

  private var padding: String { word(paddingToken ?? vocabulary.first.flatMap(id) ?? 0) }

  /// `tokenizer_config.json`: without it the special tokens have no roles.
  var huggingFaceTokenizerConfiguration: JSONValue {
    let start = documentStart.map { JSONValue.string(word($0)) } ?? .null
    return .object([
      ("tokenizer_class", .string("PreTrainedTokenizerFast")),
      ("pad_token", .string(padding)), ("unk_token", .string(padding)),
      ("bos_token", start), ("eos_token", start),
    ])
  }
}
