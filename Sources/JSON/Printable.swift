/// Texts from files, as a terminal or a page may show them.
package enum Printable {
  /// A text of several lines in which nothing acts: no control character moves a cursor, starts a colour or
  /// turns the direction of writing.
  ///
  /// Tabs and line ends stay; every other control, format or unassigned separator is written as `\u{1B}`.
  package static func lines(_ text: String) -> String {
    guard text.unicodeScalars.contains(where: { isActive($0) && $0 != "\n" && $0 != "\t" }) else {
      return text
    }
    return escaped(text) { $0 == "\n" || $0 == "\t" }
  }

  /// A text on one line, line ends and tabs escaped too.
  package static func line(_ text: String) -> String {
    text.unicodeScalars.contains(where: isActive) ? escaped(text) { _ in false } : text
  }

  /// A text as an error may quote it: on one line, the middle of a long one left out.
  package static func quoted(_ text: String) -> String {
    let limit = 120
    guard text.unicodeScalars.count > limit else { return line(text) }
    let ends = limit / 2
    return line(String(text.unicodeScalars.prefix(ends))) + "…"
      + line(String(text.unicodeScalars.suffix(ends)))
  }

  /// JSON text in which nothing acts, and which means what it did: the characters are escaped as JSON does.
  package static func json(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      guard isActive(scalar), scalar != "\n", scalar != "\t" else {
        result.unicodeScalars.append(scalar)
        continue
      }
      for unit in String(scalar).utf16 {
        let digits = String(unit, radix: 16)
        result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      }
    }
    return result
  }

  private static func escaped(_ text: String, keeping isKept: (Unicode.Scalar) -> Bool) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      if isActive(scalar), !isKept(scalar) {
        result += "\\u{\(String(scalar.value, radix: 16, uppercase: true))}"
      } else {
        result.unicodeScalars.append(scalar)
      }
    }
    return result
  }

  private static func isActive(_ scalar: Unicode.Scalar) -> Bool {
    // Most of any text; the tables are asked of what is left.
    if (0x20..<0x7F).contains(scalar.value) { return false }
    return switch scalar.properties.generalCategory {
    // Joiners are format characters too, and words of many scripts need them: they only join.
    case .format: scalar != "\u{200C}" && scalar != "\u{200D}"
    case .control, .lineSeparator, .paragraphSeparator, .surrogate: true
    default: false
    }
  }

  /// A text within a cell of a Markdown table, which a browser may show: nothing of it is markup.
  package static func markdown(_ text: String) -> String {
    var result = ""
    for character in line(text).unicodeScalars {
      switch character {
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "&": result += "&amp;"
      case "|", "`", "*", "_", "[", "]", "\\": result += "\\\(character)"
      default: result.unicodeScalars.append(character)
      }
    }
    return result
  }
}
