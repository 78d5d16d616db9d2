/// A text as its bytes spell it.
///
/// Swift's `String` compares by canonical equivalence: 'é' in one piece equals 'e' with an accent behind it. In
/// files these are two texts, so whatever a file holds is compared, sorted and looked up by this.
package struct Spelling: Hashable, Comparable, Sendable {
  /// The text.
  package let text: String

  /// Takes a text.
  package init(_ text: some StringProtocol) { self.text = String(text) }

  package static func == (a: Spelling, b: Spelling) -> Bool {
    a.text.utf8.elementsEqual(b.text.utf8)
  }

  package static func < (a: Spelling, b: Spelling) -> Bool {
    a.text.utf8.lexicographicallyPrecedes(b.text.utf8)
  }

  package func hash(into hasher: inout Hasher) {
    var text = text
    text.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
    hasher.combine(UInt8.max)  // no byte of UTF-8, so that two texts never run into one
  }
}

extension Sequence<String> {
  /// Whether one of the texts is spelt so.
  package func holds(_ text: String) -> Bool { contains { Spelling($0) == Spelling(text) } }
}
