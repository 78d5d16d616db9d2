internal import JSON

/// A tokenizer of the parts that `tokenizer.json` lists, as the `tokenizers` library runs them.
///
/// Added tokens are cut out first; what is left is normalised, cut into pieces and given to the model.
package struct PipelineTokenizer: Tokenizer {
  private let entries: TokenEntries
  private let added: Set<Int>
  /// Tokens found in the text as it is written, and in the normalised one.
  private let written: AddedTokens, normalized: AddedTokens
  private let normalizer: TextNormalizer?
  private let preTokenizer: PreTokenizer?
  private let model: any TokenModel
  private let decoder: TokenDecoder?
  private let surroundings: Surroundings

  package let count: Int
  package let specialTokens: Set<Int>
  package var documentStart: Int? { surroundings.before.first }
  package var isOfWholeWords: Bool { model is WordLevelModel }

  package func entry(_ id: Int) -> String? { entries.texts[id] }

  package func id(_ word: String) -> Int? { entries.id(word) }

  package func encode(_ text: String) throws -> [Int] {
    var isFirst = true
    return try written.parts(of: text).flatMap { part -> [Int] in
      defer { isFirst = false }
      switch part {
      case .token(let id): return [id]
      case .text(let text): return try tokens(ofUnadded: text, isFirst)
      }
    }
  }

  private func tokens(ofUnadded text: String, _ isFirst: Bool) throws -> [Int] {
    var isFirst = isFirst
    return try normalized.parts(of: normalizer?.normalized(text) ?? text).flatMap {
      part -> [Int] in
      defer { isFirst = false }
      switch part {
      case .token(let id): return [id]
      case .text(let text):
        let piece = PreTokenizer.Piece(text: text, isFirst: isFirst)
        return try (preTokenizer?.pieces(of: piece) ?? [piece]).flatMap {
          try model.tokens(of: $0.text)
        }
      }
    }
  }

  package func document(_ text: String) throws -> [Int] { surroundings.around(try encode(text)) }

  package func decode(_ ids: some Sequence<Int>) -> String {
    let tokens = ids.map { entries.texts[$0] ?? "#\($0)" }
    return decoder?.texts(tokens).joined() ?? tokens.joined(separator: " ")
  }

  package func word(_ id: Int) -> String {
    guard let entry = entries.texts[id] else { return "#\(id)" }
    return added.contains(id) ? Printable.line(entry) : VisibleBytes.text(bytes(of: entry))
  }

  /// The bytes that a token stands for.
  private func bytes(of entry: String) -> [UInt8] {
    switch spelling {
    case .byteLevel: ByteCharacters.bytes(of: entry) ?? Array(entry.utf8)
    case .metaspace:
      TokenDecoder.byte(entry).map { [$0] } ?? Array(entry.replacingScalar("▁", with: " ").utf8)
    case .plain: Array(entry.utf8)
    }
  }

  /// How a vocabulary spells bytes and blanks.
  private enum SpellingKind { case byteLevel, metaspace, plain }
  private let spelling: SpellingKind
}

extension PipelineTokenizer: CheckpointedTokenizer {
  /// Reads a file whose parts are all known.
  ///
  /// - Throws: `UnsupportedPart`, which names the part that is not.
  package static func read(_ file: TokenizerFile) throws -> PipelineTokenizer? {
    try PipelineTokenizer(file)
  }

  private init(_ file: TokenizerFile) throws {
    guard case .object? = file.document["model"] else {
      throw UnsupportedPart("'model' is no object")
    }
    let part = try PartReader(Self.typed(file.document["model"] ?? .null), "model")
    switch part.type {
    case "BPE": model = try BytePairModel(part)
    case "WordLevel": model = try WordLevelModel(part)
    default: throw part.unknown("model")
    }
    normalizer = try TextNormalizer.read(file.document["normalizer"])
    preTokenizer = try PreTokenizer.read(file.document["pre_tokenizer"])
    decoder = try TokenDecoder.read(file.document["decoder"])
    (surroundings, specialTokens) = (file.surroundings, file.specialTokens)
    entries = try TokenEntries(model.vocabulary, added: file.added)
    count = entries.count
    added = Set(file.added.map(\.id))
    spelling = Self.spelling(file.document)
    written = AddedTokens(file.added.filter { !$0.isNormalized }.map { ($0, $0.text) })
    normalized = AddedTokens(
      file.added.filter(\.isNormalized).map { [normalizer] in
        ($0, normalizer?.normalized($0.text) ?? $0.text)
      })
  }

  /// Old files leave the type out of a model of byte pairs.
  private static func typed(_ model: JSONValue) -> JSONValue {
    guard model["type"] == nil, model["merges"] != nil, case .object(let members) = model else {
      return model
    }
    return .object(members + [("type", .string("BPE"))])
  }

  private static func spelling(_ document: JSONValue) -> SpellingKind {
    func mentions(_ type: String) -> Bool {
      ["normalizer", "pre_tokenizer", "decoder"].contains { document[$0]?.holdsPart(type) == true }
    }
    if mentions("ByteLevel") { return .byteLevel }
    return mentions("Metaspace") || mentions("ByteFallback") ? .metaspace : .plain
  }
}

extension JSONValue {
  /// Whether this part or one within it is of a type.
  fileprivate func holdsPart(_ type: String) -> Bool {
    switch self {
    case .object(let members):
      self["type"] == .string(type) || members.contains { $0.value.holdsPart(type) }
    case .array(let parts): parts.contains { $0.holdsPart(type) }
    default: false
    }
  }
}
