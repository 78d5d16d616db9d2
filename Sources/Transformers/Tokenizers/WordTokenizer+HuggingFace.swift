internal import JSON

extension WordTokenizer {
  private func words(_ ids: Set<Int>) -> [(id: Int, word: String)] {
    ids.sorted().map { ($0, word($0)) }
  }

  /// `tokenizer.json`: a word-level model split at white space.
  ///
  /// Words without special tokens have the first one stand for what is unknown.
  var huggingFaceTokenizer: JSONValue {
    let special = words(specialTokens).map { id, word -> JSONValue in
      .object([
        ("id", .integer(Int64(id))), ("content", .string(word)), ("single_word", .bool(false)),
        ("lstrip", .bool(false)), ("rstrip", .bool(false)), ("normalized", .bool(false)),
        ("special", .bool(true)),
      ])
    }
    let model: JSONValue = .object([
      ("type", .string("WordLevel")),
      ("vocab", .object(vocabulary.map { ($0, .integer(Int64(id($0) ?? 0))) })),
      ("unk_token", .string(padding)),
    ])
    return .object([
      ("version", .string("1.0")), ("truncation", .null), ("padding", .null),
      ("added_tokens", .array(special)), ("normalizer", .null),
      ("pre_tokenizer", .object([("type", .string("WhitespaceSplit"))])),
      ("post_processor", postProcessor), ("decoder", .null), ("model", model),
    ])
  }

  /// Puts the start before each document, as Assay does.
  private var postProcessor: JSONValue {
    guard let documentStart else { return .null }
    let name = word(documentStart)
    func piece(_ kind: String, _ id: String) -> JSONValue {
      .object([(kind, .object([("id", .string(id)), ("type_id", .integer(0))]))])
    }
    let token: JSONValue = .object([
      ("id", .string(name)), ("ids", .array([.integer(Int64(documentStart))])),
      ("tokens", .array([.string(name)])),
    ])
    return .object([
      ("type", .string("TemplateProcessing")),
      ("single", .array([piece("SpecialToken", name), piece("Sequence", "A")])),
      (
        "pair",
        .array([piece("SpecialToken", name), piece("Sequence", "A"), piece("Sequence", "B")])
      ),
      ("special_tokens", .object([(name, token)])),
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
