internal import Foundation
internal import JSON

/// What makes text of tokens' spellings.
indirect enum TokenDecoder: Sendable {
  case sequence([TokenDecoder])
  case byteLevel
  case byteFallback
  case fuse
  case metaspace(blank: String, dropsFirst: Bool)
  case replace(TextPattern, String)
  case strip(Unicode.Scalar, start: Int, stop: Int)
  /// Marks at the ends of words become blanks.
  case wordEnds(String)

  /// Reads `decoder`; nil if there is none.
  ///
  /// - Throws: `UnsupportedPart`.
  static func read(_ value: JSONValue?) throws -> TokenDecoder? {
    guard let value, value != .null else { return nil }
    let part = try PartReader(value, "decoder")
    switch part.type {
    case "Sequence": return .sequence(try part.list("decoders").compactMap(read))
    case "ByteLevel": return .byteLevel
    case "ByteFallback": return .byteFallback
    case "Fuse": return .fuse
    case "Metaspace":
      let drops =
        part["prepend_scheme"] == nil
        ? try part.flag("add_prefix_space", default: true)
        : try part.text("prepend_scheme") != PreTokenizer.PrependScheme.never.rawValue
      return .metaspace(blank: try part.text("replacement"), dropsFirst: drops)
    case "Replace": return .replace(try TextPattern(part["pattern"]), try part.text("content"))
    case "Strip":
      guard let content = try part.text("content").unicodeScalars.first else {
        throw UnsupportedPart("'content' of its 'Strip' is empty")
      }
      return .strip(content, start: try part.count("start"), stop: try part.count("stop"))
    case "BPEDecoder": return .wordEnds(try part.text("suffix"))
    default: throw part.unknown("decoder")
    }
  }

  /// Texts of which tokens' spellings are made; put together they are the text.
  func texts(_ tokens: [String]) -> [String] {
    switch self {
    case .sequence(let parts): parts.reduce(tokens) { $1.texts($0) }
    case .byteLevel: [Self.text(tokens.flatMap { ByteCharacters.bytes(of: $0) ?? Array($0.utf8) })]
    case .byteFallback: Self.fallenBack(tokens)
    case .fuse: [tokens.joined()]
    case .metaspace(let blank, let dropsFirst):
      tokens.enumerated().map { index, token in
        guard let mark = blank.unicodeScalars.first else { return token }
        return token.replacingScalar(mark, with: index == 0 && dropsFirst ? "" : " ")
      }
    case .replace(let pattern, let content):
      tokens.map { pattern.replacing(in: $0, by: content) }
    case .strip(let content, let start, let stop):
      tokens.map { Self.stripped($0, of: content, start, stop) }
    case .wordEnds(let suffix): Self.ended(tokens, suffix)
    }
  }

  private static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

  /// The byte that a token like `<0x0A>` stands for.
  static func byte(_ token: String) -> UInt8? {
    let characters = Array(token.utf8)
    guard characters.count == 6, token.hasScalarPrefix("<0x"), characters[5] == UInt8(ascii: ">")
    else { return nil }
    return UInt8(text(Array(characters[3..<5])), radix: 16)
  }

  private static func fallenBack(_ tokens: [String]) -> [String] {
    var texts: [String] = [], pending: [UInt8] = []
    func flushed() -> [String] {
      guard !pending.isEmpty else { return [] }
      return String(validating: pending, as: UTF8.self).map { [$0] }
        ?? Array(repeating: "\u{FFFD}", count: pending.count)
    }
    for token in tokens {
      if let byte = byte(token) {
        pending.append(byte)
      } else {
        texts += flushed() + [token]
        pending = []
      }
    }
    return texts + flushed()
  }

  private static func stripped(
    _ token: String, of content: Unicode.Scalar, _ start: Int, _ stop: Int
  ) -> String {
    var scalars = token.unicodeScalars[...]
    for _ in 0..<start where scalars.first == content { scalars.removeFirst() }
    for _ in 0..<stop where scalars.last == content { scalars.removeLast() }
    return String(scalars)
  }

  private static func ended(_ tokens: [String], _ suffix: String) -> [String] {
    tokens.enumerated().map { index, token in
      let blank = index == tokens.count - 1 ? "" : " "
      return suffix.isEmpty
        ? token : token.replacingOccurrences(of: suffix, with: blank, options: .literal)
    }
  }
}
