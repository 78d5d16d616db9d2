internal import Foundation

extension JSONValue {
  /// Checks that every key and text of the document is in composed form.
  ///
  /// Swift's dictionaries find a word under either spelling; a vocabulary of bytes does not. In composed form
  /// both agree.
  ///
  /// - Throws: `JSONError.invalid` with the first text that is not.
  package func requireComposed(file: String, path: [String] = []) throws(JSONError) {
    func check(_ text: String, at path: [String]) throws(JSONError) {
      guard Spelling(text) != Spelling(text.precomposedStringWithCanonicalMapping) else { return }
      throw .invalid(
        file: file, path: path.joined(separator: "."),
        reason:
          "'\(text)' is spelt with separate accents or look-alike letters; write it in composed "
          + "form (Unicode NFC)")
    }
    switch self {
    case .string(let text): try check(text, at: path)
    case .array(let elements):
      for (index, element) in elements.enumerated() {
        try element.requireComposed(file: file, path: path + ["\(index)"])
      }
    case .object(let members):
      for (key, value) in members {
        try check(key, at: path + [key])
        try value.requireComposed(file: file, path: path + [key])
      }
    case .null, .bool, .integer, .unsigned, .number: return
    }
  }
}
