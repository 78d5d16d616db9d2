internal import JSON
internal import Foundation

/// Sentences in lines as long as a page is wide.
package enum Prose {
  /// A text in lines; those behind the first are indented.
  ///
  /// - Parameters:
  ///   - text: Words and spaces.
  ///   - indent: What stands before each further line.
  ///   - keepsLayout: Whether spaces mean something: a line that is short enough stays as it is.
  package static func wrapped(_ text: String, indent: String = "", keepsLayout: Bool = false)
    -> String
  {
    guard !keepsLayout || !text.drop(while: { $0 == " " }).hasPrefix("|") else { return text }
    var lines = [""], spaces = 0
    for part in text.split(separator: " ", omittingEmptySubsequences: false) {
      guard !part.isEmpty else {
        spaces += 1
        continue
      }
      let last = lines[lines.count - 1]
      let isFirst = lines == [""]
      let gap = keepsLayout || isFirst ? spaces + (isFirst ? 0 : 1) : 1
      if last.count + gap + part.count > TextTable.width, !isFirst {
        lines.append(indent + part)
      } else {
        lines[lines.count - 1] =
          last + String(repeating: " ", count: keepsLayout || !isFirst ? gap : 0) + part
      }
      spaces = 0
    }
    return lines.joined(separator: "\n")
  }

  /// Text from a file as a part of a page: nothing of it is markup.
  package static func plain(_ text: String) -> String { Printable.markdown(text) }

  /// Text from a file as code, whatever marks it holds.
  package static func code(_ text: String) -> String {
    let text = Printable.line(text)
    let longest = text.split { $0 != "`" }.map(\.count).max() ?? 0
    let fence = String(repeating: "`", count: longest + 1)
    return longest == 0 ? "`\(text)`" : "\(fence) \(text) \(fence)"
  }

  /// A number, or `-` for none.
  package static func number(_ value: Double?, _ decimals: Int = 2) -> String {
    guard let value, value.isFinite else { return "-" }
    return String(format: "%.\(decimals)f", value)
  }

  /// A number without a zero before its point, and without a minus before nothing.
  static func short(_ value: Double, _ decimals: Int) -> String {
    let text = String(format: "%.\(decimals)f", value)
    let isNegative = text.hasPrefix("-") && !text.allSatisfy { "-0.".contains($0) }
    let digits = text.hasPrefix("-") ? String(text.dropFirst()) : text
    return (isNegative ? "-" : "") + (digits.hasPrefix("0.") ? String(digits.dropFirst()) : digits)
  }
}
