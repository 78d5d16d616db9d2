internal import JSON

/// A GGUF file's tokenizer in the form of `tokenizer.json`, as transformers converts it.
struct GGUFTokenizer {
  let document: JSONValue
  /// `tokenizer_config.json`: the roles of tokens, and the chat template.
  let configuration: JSONValue

  /// What a token is, by llama.cpp's numbers.
  private enum Kind: Int64 {
    case normal = 1, unknown, control, userDefined, unused, byte
  }

  /// - Returns: Nil if the file has none.
  /// - Throws: `CheckpointError.badTokenizer`.
  init?(_ file: GGUFFile) throws {
    guard let model = file.text("tokenizer.ggml.model") else { return nil }
    guard let tokens = file.texts("tokenizer.ggml.tokens"), !tokens.isEmpty else {
      throw CheckpointError.badTokenizer(file: file.path, reason: "its tokenizer has no tokens")
    }
    let added = Self.added(file, tokens)
    let parts: [(String, JSONValue)] =
      switch model {
      case "gpt2": try Self.byteLevel(file, tokens)
      case "llama": try Self.sentencePiece(file, tokens)
      default:
        throw CheckpointError.badTokenizer(
          file: file.path, reason: "a tokenizer of kind '\(model)' is not read from GGUF")
      }
    document = TokenizerFiles.document(
      [("added_tokens", .array(added)), ("post_processor", Self.start(file, tokens))] + parts)
    configuration = Self.configuration(file, tokens)
  }

  private static func added(_ file: GGUFFile, _ tokens: [String]) -> [JSONValue] {
    let kinds = file.integers("tokenizer.ggml.token_type") ?? []
    return zip(tokens.indices, kinds).compactMap { id, kind in
      let kind = Kind(rawValue: kind)
      guard kind == .control || kind == .userDefined || kind == .unknown else { return nil }
      return TokenizerFiles.addedToken(id, tokens[id], isSpecial: kind != .userDefined)
    }
  }

  private static func part(_ type: String, _ settings: [(String, JSONValue)] = []) -> JSONValue {
    .object([("type", .string(type))] + settings)
  }

  private static func byteLevel(cuts: Bool) -> JSONValue {
    part(
      "ByteLevel",
      [
        ("add_prefix_space", .bool(false)), ("trim_offsets", .bool(true)),
        ("use_regex", .bool(cuts)),
      ])
  }

  private static func vocabulary(_ tokens: [String]) -> JSONValue {
    .object(tokens.enumerated().map { ($1, .integer(Int64($0))) })
  }

  private static func byteLevel(_ file: GGUFFile, _ tokens: [String]) throws -> [(
    String, JSONValue
  )] {
    guard let merges = file.texts("tokenizer.ggml.merges") else {
      throw CheckpointError.badTokenizer(file: file.path, reason: "its tokenizer has no merges")
    }
    let kind = file.text("tokenizer.ggml.pre") ?? "default"
    guard let cut = cuts[kind] else {
      throw CheckpointError.badTokenizer(
        file: file.path,
        reason: "how its tokenizer cuts words, '\(kind)', is not known; known are "
          + cuts.keys.sorted().joined(separator: ", "))
    }
    return [
      ("normalizer", kind == "qwen2" ? part("NFC") : .null), ("pre_tokenizer", cut),
      ("decoder", byteLevel(cuts: true)),
      (
        "model",
        part(
          "BPE",
          [
            ("vocab", vocabulary(tokens)), ("merges", .array(merges.map { .string($0) })),
            ("ignore_merges", .bool(kind == "llama-bpe")),
          ])
      ),
    ]
  }

  /// How words are cut, by the names that llama.cpp gives.
  private static let cuts: [String: JSONValue] = {
    func split(digits: String) -> JSONValue {
      let pattern =
        #"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}"# + digits
        + #"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#
      return sequence([
        part(
          "Split",
          [
            ("pattern", .object([("Regex", .string(pattern))])), ("behavior", .string("Isolated")),
            ("invert", .bool(false)),
          ]),
        byteLevel(cuts: false),
      ])
    }
    func sequence(_ parts: [JSONValue]) -> JSONValue {
      part("Sequence", [("pretokenizers", .array(parts))])
    }
    return [
      "default": byteLevel(cuts: true), "gpt-2": byteLevel(cuts: true),
      "smollm": sequence([
        part("Digits", [("individual_digits", .bool(true))]), byteLevel(cuts: true),
      ]),
      "llama-bpe": split(digits: "{1,3}"), "qwen2": split(digits: ""),
    ]
  }()

  /// Byte pairs whose order is that of SentencePiece's scores.
  private static func sentencePiece(_ file: GGUFFile, _ tokens: [String]) throws -> [(
    String, JSONValue
  )] {
    guard let scores = file.numbers("tokenizer.ggml.scores"), scores.count == tokens.count else {
      throw CheckpointError.badTokenizer(
        file: file.path, reason: "its tokenizer has not one score a token")
    }
    // transformers' way: one blank in front of a text that starts with none, and none behind a special token.
    let prepends = file.flag("tokenizer.ggml.add_space_prefix") ?? true
    let blanks: [(String, JSONValue)] = [
      ("replacement", .string("▁")),
      ("prepend_scheme", .string(prepends ? "first" : "never")), ("split", .bool(false)),
    ]
    let space = JSONValue.string(" ")
    let replace = part(
      "Replace", [("pattern", .object([("String", .string("▁"))])), ("content", space)])
    let strip = part("Strip", [("content", space), ("start", .integer(1)), ("stop", .integer(0))])
    let decoders =
      [replace, part("ByteFallback"), part("Fuse")] + (prepends ? [strip] : [])
    let unknown = file.integer("tokenizer.ggml.unknown_token_id").map { Int($0) } ?? 0
    return [
      ("normalizer", .null), ("pre_tokenizer", part("Metaspace", blanks)),
      ("decoder", part("Sequence", [("decoders", .array(decoders))])),
      (
        "model",
        part(
          "BPE",
          [
            ("vocab", vocabulary(tokens)), ("merges", .array(merges(tokens, scores))),
            ("unk_token", tokens.indices.contains(unknown) ? .string(tokens[unknown]) : .null),
            ("fuse_unk", .bool(true)), ("byte_fallback", .bool(true)),
          ])
      ),
    ]
  }

  /// Every way to put a token together of two others, tokens of high scores first.
  private static func merges(_ tokens: [String], _ scores: [Double]) -> [JSONValue] {
    let ids = Dictionary(tokens.enumerated().map { (Spelling($1), $0) }) { first, _ in first }
    var found: [(score: Double, order: Int, pair: JSONValue)] = []
    for (id, token) in tokens.enumerated() {
      let scalars = token.unicodeScalars
      let pairs = scalars.indices.dropFirst().compactMap { index -> (Int, Int, JSONValue)? in
        let (left, right) = (String(scalars[..<index]), String(scalars[index...]))
        guard let first = ids[Spelling(left)], let second = ids[Spelling(right)] else { return nil }
        return (first, second, .array([.string(left), .string(right)]))
      }
      for pair in pairs.sorted(by: { ($0.0, $0.1) < ($1.0, $1.1) }) {
        found.append((scores[id], found.count, pair.2))
      }
    }
    return found.sorted { ($1.score, $0.order) < ($0.score, $1.order) }.map(\.pair)
  }

  /// The start of a document, if the file says that one is put there.
  private static func start(_ file: GGUFFile, _ tokens: [String]) -> JSONValue {
    // llama.cpp's default: SentencePiece models start with one, others do not.
    let adds =
      file.flag("tokenizer.ggml.add_bos_token") ?? (file.text("tokenizer.ggml.model") == "llama")
    guard adds, let id = file.integer("tokenizer.ggml.bos_token_id"),
      let name = name("bos", file, tokens)
    else { return .null }
    return TokenizerFiles.start(Int(id), name)
  }

  private static func name(_ role: String, _ file: GGUFFile, _ tokens: [String]) -> String? {
    file.integer("tokenizer.ggml.\(role)_token_id").flatMap {
      tokens.indices.contains(Int($0)) ? tokens[Int($0)] : nil
    }
  }

  private static func configuration(_ file: GGUFFile, _ tokens: [String]) -> JSONValue {
    let roles = [
      ("bos_token", "bos"), ("eos_token", "eos"), ("unk_token", "unknown"),
      ("pad_token", "padding"),
    ].compactMap { key, role in name(role, file, tokens).map { (key, JSONValue.string($0)) } }
    let template = file.text("tokenizer.chat_template").map {
      [("chat_template", JSONValue.string($0))]
    }
    return .object(
      [("tokenizer_class", .string("PreTrainedTokenizerFast"))] + roles + (template ?? []))
  }
}
