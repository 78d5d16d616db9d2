/// Characters that a document writes as two halves, `\\ud83d\\ude00`.
///
/// json-c up to 0.16 reads one in thirty-two of them as U+FFFD: it looks for halves of a pair in what it has just put
/// together, and takes U+1D800, whose last sixteen bits are 0xD800, for another half. So they are put
/// together before it reads them.
enum SurrogatePairs {
  private static let backslash = UInt8(ascii: "\\")

  /// A document that was checked, with every pair of halves as the UTF-8 of its character.
  static func resolved(_ document: [UInt8]) -> [UInt8] {
    var result: [UInt8] = [], end = 0, index = 0
    while index < document.count {
      guard document[index] == backslash else {
        index += 1
        continue
      }
      guard let high = unit(document, at: index), let low = unit(document, at: index + 6),
        UTF16.isLeadSurrogate(high), UTF16.isTrailSurrogate(low)
      else {
        // A backslash and what it escapes stay together, so that an escaped one starts nothing.
        index += 2
        continue
      }
      result += document[end..<index] + Array(String(decoding: [high, low], as: UTF16.self).utf8)
      index += 12
      end = index
    }
    return end == 0 ? document : result + document[end...]
  }

  /// The number of an escape, `\\u` and four digits, if one stands at a place.
  private static func unit(_ document: [UInt8], at index: Int) -> UInt16? {
    guard index + 6 <= document.count, document[index] == backslash,
      document[index + 1] == UInt8(ascii: "u")
    else { return nil }
    return UInt16(String(decoding: document[index + 2..<index + 6], as: UTF8.self), radix: 16)
  }
}
