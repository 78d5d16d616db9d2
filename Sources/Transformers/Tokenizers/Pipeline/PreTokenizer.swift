internal import JSON

/// How a tokenizer cuts a text into the pieces within which tokens are found.
indirect enum PreTokenizer: Sendable {
  /// A piece of a text.
  struct Piece {
    var text: String
    /// Whether the text starts with it.
    let isFirst: Bool
  }

  /// Before which pieces a blank is put.
  enum PrependScheme: String { case always, first, never }

  case sequence([PreTokenizer])
  case cut(TextPattern, CutBehavior, isInverted: Bool)
  /// Bytes as characters; before that a blank in front, and a cut.
  case byteLevel(addsBlank: Bool, cut: TextPattern?)
  case metaspace(blank: String, PrependScheme, cuts: Bool)

  /// GPT-2's pattern: contractions, words, numbers, other characters, each with the blank before it.
  private static let words =
    #"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\p{White_Space}\p{L}\p{N}]+"#
    + #"|\p{White_Space}+(?!\P{White_Space})|\p{White_Space}+"#
  /// What `\w` is in Rust, not in Oniguruma.
  private static let wordClass = #"\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\u200C\u200D"#
  private static let asciiPunctuation = #"!-/:-@\[-`{-~"#

  /// Reads `pre_tokenizer`; nil if there is none.
  ///
  /// - Throws: `UnsupportedPart`.
  static func read(_ value: JSONValue?) throws -> PreTokenizer? {
    guard let value, value != .null else { return nil }
    let part = try PartReader(value, "pre_tokenizer")
    func cut(_ expression: String, _ behavior: CutBehavior) throws -> PreTokenizer {
      .cut(try TextPattern(expression: expression), behavior, isInverted: false)
    }
    switch part.type {
    case "Sequence": return .sequence(try part.list("pretokenizers").compactMap(read))
    case "Split":
      return .cut(
        try TextPattern(part["pattern"]), try behavior(part),
        isInverted: try part.flag("invert", default: false))
    case "ByteLevel":
      let cuts = try part.flag("use_regex", default: true)
      return .byteLevel(
        addsBlank: try part.flag("add_prefix_space", default: true),
        cut: cuts ? try TextPattern(expression: words) : nil)
    case "Metaspace": return try metaspace(part)
    case "Digits":
      let single = try part.flag("individual_digits", default: false)
      return try cut(#"\p{N}"#, single ? .isolated : .contiguous)
    case "Punctuation":
      return try cut(
        "[\\p{P}\(asciiPunctuation)]", part["behavior"] == nil ? .isolated : behavior(part))
    case "WhitespaceSplit": return try cut(#"\p{White_Space}"#, .removed)
    case "Whitespace":
      return .cut(
        try TextPattern(expression: "[\(wordClass)]+|[^\(wordClass)\\p{White_Space}]+"), .removed,
        isInverted: true)
    case "CharDelimiterSplit":
      return .cut(
        try TextPattern(literal: part.text("delimiter")), .removed, isInverted: false)
    default: throw part.unknown("pre_tokenizer")
    }
  }

  private static func behavior(_ part: PartReader) throws -> CutBehavior {
    let name = try part.text("behavior")
    guard let behavior = CutBehavior(rawValue: name) else {
      throw UnsupportedPart("the 'behavior' of its '\(part.type)' is unknown, '\(name)'")
    }
    return behavior
  }

  private static func metaspace(_ part: PartReader) throws -> PreTokenizer {
    let blank = try part.text("replacement"), cuts = try part.flag("split", default: true)
    // Files of before 2024 have a flag in the scheme's place.
    guard part["prepend_scheme"] != nil else {
      let adds = try part.flag("add_prefix_space", default: true)
      return .metaspace(blank: blank, adds ? .always : .never, cuts: cuts)
    }
    guard let scheme = PrependScheme(rawValue: try part.text("prepend_scheme")) else {
      throw UnsupportedPart("the 'prepend_scheme' of its 'Metaspace' is unknown")
    }
    return .metaspace(blank: blank, scheme, cuts: cuts)
  }

  /// The pieces of a piece, in order; none is empty.
  func pieces(of piece: Piece) -> [Piece] {
    switch self {
    case .sequence(let parts):
      return parts.reduce([piece]) { pieces, part in pieces.flatMap(part.pieces) }
    case .cut(let pattern, let behavior, let isInverted):
      let found = pattern.pieces(of: piece.text)
      return Self.pieces(
        behavior.texts(isInverted ? found.map { ($0.text, !$0.isMatch) } : found), of: piece)
    case .byteLevel(let addsBlank, let pattern):
      let text = addsBlank && !piece.text.hasScalarPrefix(" ") ? " " + piece.text : piece.text
      let texts = pattern.map { CutBehavior.isolated.texts($0.pieces(of: text)) } ?? [text]
      return Self.pieces(texts.map(ByteCharacters.text), of: piece)
    case .metaspace(let blank, let scheme, let cuts):
      var text = piece.text.replacingScalar(" ", with: blank)
      let adds = scheme == .always || scheme == .first && piece.isFirst
      if adds, !text.hasScalarPrefix(blank) { text = blank + text }
      return Self.pieces(cuts ? text.cut(before: blank) : [text], of: piece)
    }
  }

  private static func pieces(_ texts: [String], of piece: Piece) -> [Piece] {
    texts.enumerated().map { Piece(text: $1, isFirst: piece.isFirst && $0 == 0) }
  }
}

// A text by scalars: in Swift a blank with an accent on it is one Character, which no blank equals.
extension String {
  /// Whether the text starts with these scalars.
  func hasScalarPrefix(_ prefix: String) -> Bool { utf8.starts(with: prefix.utf8) }

  /// The text with one scalar replaced by others.
  func replacingScalar(_ scalar: Unicode.Scalar, with replacement: String) -> String {
    var result = String.UnicodeScalarView()
    for next in unicodeScalars {
      if next == scalar {
        result.append(contentsOf: replacement.unicodeScalars)
      } else {
        result.append(next)
      }
    }
    return String(result)
  }

  /// The text cut before every occurrence of a mark.
  func cut(before mark: String) -> [String] {
    guard let mark = mark.unicodeScalars.first else { return [self] }
    var parts: [String] = [], part = String.UnicodeScalarView()
    for scalar in unicodeScalars {
      if scalar == mark, !part.isEmpty {
        parts.append(String(part))
        part = .init()
      }
      part.append(scalar)
    }
    return part.isEmpty ? parts : parts + [String(part)]
  }
}
