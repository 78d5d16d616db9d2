package import Foundation

/// JSON objects that end with a digest of themselves, so that damage is found.
package enum Seal {
  /// An object with one more member at its end: the digest of all that stands before it.
  ///
  /// - Parameter object: The text of a JSON object with at least one member.
  package static func sealed(_ object: Data) -> Data {
    let start = object.dropLast()
    return start + mark(digest(start))
  }

  /// The object without its digest; nil if it is not what was sealed.
  package static func opened(_ text: Data) -> Data? {
    let size = mark(ContentHash().text).count
    guard text.count > size else { return nil }
    let start = text.dropLast(size)
    guard text.suffix(size) == mark(digest(start)) else { return nil }
    return start + Data("}".utf8)
  }

  private static func mark(_ digest: String) -> Data { Data(",\"digest\":\"\(digest)\"}".utf8) }

  private static func digest(_ start: Data) -> String {
    var hash = ContentHash()
    hash.mix(start)
    return hash.text
  }
}
