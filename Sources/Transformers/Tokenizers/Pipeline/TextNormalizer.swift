internal import Foundation
internal import JSON

/// What a tokenizer makes of a text before it cuts it.
indirect enum TextNormalizer: Sendable {
  case sequence([TextNormalizer])
  case nfc, nfd, nfkc, nfkd
  case lowercase
  case stripAccents
  case byteLevel
  case prepend(String)
  case replace(TextPattern, String)
  case strip(left: Bool, right: Bool)

  /// Reads `normalizer`; nil if there is none.
  ///
  /// - Throws: `UnsupportedPart`.
  static func read(_ value: JSONValue?) throws -> TextNormalizer? {
    guard let value, value != .null else { return nil }
    let part = try PartReader(value, "normalizer")
    switch part.type {
    case "Sequence": return .sequence(try part.list("normalizers").compactMap(read))
    case "NFC": return .nfc
    case "NFD": return .nfd
    case "NFKC": return .nfkc
    case "NFKD": return .nfkd
    case "Lowercase": return .lowercase
    case "StripAccents": return .stripAccents
    case "ByteLevel": return .byteLevel
    case "Prepend": return .prepend(try part.text("prepend"))
    case "Replace": return .replace(try TextPattern(part["pattern"]), try part.text("content"))
    case "Strip":
      return .strip(
        left: try part.flag("strip_left", default: true),
        right: try part.flag("strip_right", default: true))
    default: throw part.unknown("normalizer")
    }
  }

  /// The text as the tokenizer sees it.
  func normalized(_ text: String) -> String {
    switch self {
    case .sequence(let parts): parts.reduce(text) { $1.normalized($0) }
    case .nfc: Self.composed(text, CanonicalComposition.composed)
    case .nfd: Self.composed(text) { $0.decomposedStringWithCanonicalMapping }
    case .nfkc:
      Self.composed(text) {
        CanonicalComposition.composed($0.decomposedStringWithCompatibilityMapping)
      }
    case .nfkd: Self.composed(text) { $0.decomposedStringWithCompatibilityMapping }
    // Scalar by scalar, as others do: Swift's own minds what stands beside (a final sigma).
    case .lowercase: text.unicodeScalars.map(\.properties.lowercaseMapping).joined()
    case .stripAccents: Self.filtered(text) { !$0.isMark }
    case .byteLevel: ByteCharacters.text(of: text)
    case .prepend(let prefix): text.isEmpty ? text : prefix + text
    case .replace(let pattern, let content): pattern.replacing(in: text, by: content)
    case .strip(let left, let right): Self.stripped(text, left, right)
    }
  }

  private static func composed(_ text: String, _ form: (String) -> String) -> String {
    text.utf8.allSatisfy { $0 < 0x80 } ? text : form(text)
  }

  private static func filtered(_ text: String, _ isKept: (Unicode.Scalar) -> Bool) -> String {
    String(String.UnicodeScalarView(text.unicodeScalars.filter(isKept)))
  }

  private static func stripped(_ text: String, _ left: Bool, _ right: Bool) -> String {
    var scalars = text.unicodeScalars[...]
    if left { scalars = scalars.drop(while: \.properties.isWhitespace) }
    while right, scalars.last?.properties.isWhitespace == true { scalars.removeLast() }
    return String(scalars)
  }
}

extension Unicode.Scalar {
  /// Whether the scalar is of category M.
  var isMark: Bool {
    switch properties.generalCategory {
    case .nonspacingMark, .spacingMark, .enclosingMark: true
    default: false
    }
  }

  /// Whether the scalar is of category N.
  var isNumber: Bool { properties.numericType != nil && isOfNumberCategory }

  private var isOfNumberCategory: Bool {
    switch properties.generalCategory {
    case .decimalNumber, .letterNumber, .otherNumber: true
    default: false
    }
  }

  /// Whether the scalar is of category P.
  var isPunctuation: Bool {
    switch properties.generalCategory {
    case .connectorPunctuation, .dashPunctuation, .openPunctuation, .closePunctuation,
      .initialPunctuation, .finalPunctuation, .otherPunctuation:
      true
    default: false
    }
  }
}
