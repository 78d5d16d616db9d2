internal import JSON

/// Byte-pair encoding (Sennrich, Haddow and Birch 2016).
///
/// A piece starts as its characters, and of all neighbours that the list of merges has, the earliest listed are put
/// together, leftmost first, until none is left.
struct BytePairModel: TokenModel {
  let vocabulary: [(text: String, id: Int)]
  /// The token that stands for what is none, if one does.
  private let unknown: Int?
  private let ids: [Spelling: Int]
  /// The tokens that are one character, where a character within a word is spelt as any other.
  private let characters: [Unicode.Scalar: Int]
  private let merges: MergeTable
  private let prefix: String, suffix: String
  /// The tokens of the 256 bytes, if characters that are no token become their bytes.
  private let bytes: [Int?]
  /// Whether unknown characters that stand side by side are one unknown token.
  private let fusesUnknown: Bool
  /// Whether a piece that is a token is not cut, whatever the merges say.
  private let ignoresMerges: Bool
  private let cache = PieceCache()

  /// Reads `model`.
  ///
  /// - Throws: `UnsupportedPart`.
  init(_ part: PartReader) throws {
    vocabulary = try part.vocabulary()
    let ids = Dictionary(vocabulary.map { (Spelling($0.text), $0.id) }) { first, _ in first }
    func text(_ key: String) throws -> String? {
      part[key] ?? .null == .null ? nil : try part.text(key)
    }
    prefix = try text("continuing_subword_prefix") ?? ""
    suffix = try text("end_of_word_suffix") ?? ""
    unknown = try text("unk_token").flatMap { ids[Spelling($0)] }
    fusesUnknown = try part.flag("fuse_unk", default: false)
    ignoresMerges = try part.flag("ignore_merges", default: false)
    let fallsBack = try part.flag("byte_fallback", default: false)
    bytes = (UInt8.min...UInt8.max).map { fallsBack ? ids[Spelling(VisibleBytes.name($0))] : nil }
    merges = try MergeTable(part.list("merges"), ids, prefix: prefix)
    self.ids = ids
    characters =
      prefix.isEmpty && suffix.isEmpty
      ? Dictionary(
        vocabulary.lazy.filter { $0.text.unicodeScalars.count == 1 }
          .map { ($0.text.unicodeScalars.first ?? " ", $0.id) }
      ) { first, _ in first } : [:]
  }

  func tokens(of piece: String) -> [Int] {
    let key = Spelling(piece)
    if ignoresMerges, let id = ids[key] { return [id] }
    if let known = cache[key] { return known }
    var word = MergedWord(symbols(of: piece))
    word.merge(by: merges)
    let tokens = word.tokens
    cache[key] = tokens
    return tokens
  }

  /// The tokens of the characters of a piece.
  private func symbols(of piece: String) -> [Int] {
    var symbols: [Int] = [], pending: Int?
    let scalars = piece.unicodeScalars
    for (index, scalar) in zip(scalars.indices, scalars) {
      if pending == nil, let id = characters[scalar] {
        symbols.append(id)
        continue
      }
      let isFirst = index == scalars.startIndex
      let isLast = scalars.index(after: index) == scalars.endIndex
      let text = (isFirst ? "" : prefix) + String(scalar) + (isLast ? suffix : "")
      if let id = ids[Spelling(text)] {
        if let unknown = pending { symbols.append(unknown) }
        pending = nil
        symbols.append(id)
      } else if let known = tokens(ofBytes: text) {
        symbols += known
      } else if let unknown {
        if let earlier = pending, !fusesUnknown { symbols.append(earlier) }
        pending = unknown
      }
    }
    return symbols + [pending].compactMap { $0 }
  }

  /// The tokens of a text's bytes, if each has one.
  private func tokens(ofBytes text: String) -> [Int]? {
    let tokens = text.utf8.compactMap { bytes[Int($0)] }
    return tokens.count == text.utf8.count ? tokens : nil
  }
}
