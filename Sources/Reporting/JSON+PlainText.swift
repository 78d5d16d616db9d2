package import JSON

extension JSON {
  /// A tree as text that a terminal shows as it is: what would act there is written as `\\u001b`.
  package static func plainText(of value: JSONValue, layout: Layout = .compact) -> String {
    let text = text(of: value, layout: layout)
    guard Printable.lines(text) != text else { return text }
    // Outside of its strings JSON has no such character, and within them an escape means the same.
    return text.unicodeScalars.reduce(into: "") { result, scalar in
      guard Printable.lines(String(scalar)) != String(scalar) else {
        return result.unicodeScalars.append(scalar)
      }
      for unit in String(scalar).utf16 {
        let digits = String(unit, radix: 16)
        result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      }
    }
  }
}
