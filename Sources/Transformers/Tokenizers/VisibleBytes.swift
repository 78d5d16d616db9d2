internal import JSON

/// Bytes as people read them: a token may be part of a character, or a blank that matters.
enum VisibleBytes {
  /// What a blank is shown as.
  static let blank: Unicode.Scalar = "␣"

  /// Characters as they are, blanks as `␣`, control characters escaped, and bytes of no character as `<0xE2>`.
  static func text(_ bytes: [UInt8]) -> String {
    var text = "", rest = bytes[...]
    while !rest.isEmpty {
      guard let scalar = scalar(rest) else {
        text += name(rest.removeFirst())
        continue
      }
      rest.removeFirst(scalar.utf8.count)
      text.unicodeScalars.append(contentsOf: shown(scalar).unicodeScalars)
    }
    return text
  }

  /// `<0x0A>`.
  static func name(_ byte: UInt8) -> String {
    let digits = String(byte, radix: 16, uppercase: true)
    return "<0x\(digits.count < 2 ? "0" : "")\(digits)>"
  }

  /// The character that bytes start with, if they start with one.
  private static func scalar(_ bytes: ArraySlice<UInt8>) -> Unicode.Scalar? {
    for length in 1...4 where length <= bytes.count {
      if let text = String(validating: bytes.prefix(length), as: UTF8.self) {
        return text.unicodeScalars.first
      }
    }
    return nil
  }

  private static func shown(_ scalar: Unicode.Scalar) -> String {
    switch scalar {
    case " ": String(blank)
    case "\n": #"\n"#
    case "\r": #"\r"#
    case "\t": #"\t"#
    default: Printable.line(String(scalar))
    }
  }
}
