/// What worlds and organisms may be called.
package enum Name {
  /// Whether a name is of lowercase letters, digits and hyphens.
  package static func isValid(_ name: String) -> Bool {
    !name.isEmpty
      && name.allSatisfy { $0.isASCII && ($0.isLowercase || $0.isNumber || $0 == "-") }
  }
}
