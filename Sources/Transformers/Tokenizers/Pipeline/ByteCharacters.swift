/// The visible characters that byte-level vocabularies write bytes with.
///
/// GPT-2's table (Radford et al. 2019, `bytes_to_unicode`): a byte that prints as a character of Latin-1 is that
/// character, and the others follow from U+0100 on, in their order. A blank is so `Ġ`, a line end `Ċ`.
enum ByteCharacters {
  /// The character of each byte.
  static let scalars: [Unicode.Scalar] = {
    let printed: [ClosedRange<UInt8>] = [0x21...0x7E, 0xA1...0xAC, 0xAE...0xFF]
    var next: UInt32 = 0x100
    return (UInt8.min...UInt8.max).map { byte in
      if printed.contains(where: { $0.contains(byte) }) { return Unicode.Scalar(byte) }
      defer { next += 1 }
      return Unicode.Scalar(next) ?? "?"
    }
  }()

  private static let bytes = Dictionary(
    uniqueKeysWithValues: scalars.enumerated().map { ($1, UInt8($0)) })

  /// A text with every byte of its UTF-8 written as a character.
  static func text(of text: String) -> String {
    var result = String.UnicodeScalarView()
    for byte in text.utf8 { result.append(scalars[Int(byte)]) }
    return String(result)
  }

  /// The bytes that a text stands for; nil if a character of it stands for none.
  static func bytes(of text: String) -> [UInt8]? {
    var result: [UInt8] = []
    for scalar in text.unicodeScalars {
      guard let byte = bytes[scalar] else { return nil }
      result.append(byte)
    }
    return result
  }
}
