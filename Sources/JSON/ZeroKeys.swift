/// Keys with a zero character, which json-c, written in C, would end there.
///
/// Before json-c reads a document, each such character is replaced by one of private use that the document
/// does not hold; behind it, the tree gets the zeros back. Character-level vocabularies begin with this key.
struct ZeroKeys {
  /// The document for json-c.
  let bytes: [UInt8]
  private let standIn: UnicodeScalar?

  init(_ keys: [Range<Int>], in document: [UInt8]) {
    guard !keys.isEmpty else {
      (bytes, standIn) = (document, nil)
      return
    }
    let standIn = Self.unused(in: document)
    var bytes: [UInt8] = [], end = 0
    for key in keys {
      bytes += document[end..<key.lowerBound] + Self.replaced(document[key], by: standIn)
      end = key.upperBound
    }
    (self.bytes, self.standIn) = (bytes + document[end...], standIn)
  }

  /// A key as it was written.
  func restored(_ key: String) -> String {
    guard let standIn else { return key }
    return String(String.UnicodeScalarView(key.unicodeScalars.map { $0 == standIn ? "\0" : $0 }))
  }

  /// A character of private use that stands nowhere in a document, escaped or not.
  private static func unused(in document: [UInt8]) -> UnicodeScalar {
    let text = String(decoding: document, as: UTF8.self).lowercased()
    let used = Set(text.unicodeScalars.map(\.value))
    let free = (0xE000...0xF8FF as ClosedRange<UInt32>).first {
      !used.contains($0) && !text.contains("\\u\(String($0, radix: 16))")
    }
    return free.flatMap(UnicodeScalar.init) ?? "\u{F8FF}"
  }

  private static func replaced(_ key: ArraySlice<UInt8>, by standIn: UnicodeScalar) -> [UInt8] {
    let zero = Array("\\u0000".utf8), backslash = UInt8(ascii: "\\")
    var result: [UInt8] = [], rest = key
    while let byte = rest.first {
      if rest.starts(with: zero) {
        result += Array(String(standIn).utf8)
        rest = rest.dropFirst(zero.count)
      } else {
        // A backslash and what it escapes stay together, so that an escaped one starts nothing.
        let count = byte == backslash ? 2 : 1
        result += rest.prefix(count)
        rest = rest.dropFirst(count)
      }
    }
    return result
  }
}
