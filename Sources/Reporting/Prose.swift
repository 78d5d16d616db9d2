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
    let start = keepsLayout ? String(text.prefix { $0 == " " }) : ""
    if keepsLayout, text.count <= TextTable.width || text.hasPrefix(start + "|") { return text }
    var lines = [start]
    for word in text.split(separator: " ") {
      let last = lines[lines.count - 1]
      if last.count + 1 + word.count > TextTable.width, last.count > start.count {
        lines.append(indent + word)
      } else {
        lines[lines.count - 1] = last.count == start.count ? last + word : "\(last) \(word)"
      }
    }
    return lines.joined(separator: "\n")
  }

  /// A number, or `-` for none.
  package static func number(_ value: Double?, _ decimals: Int = 2) -> String {
    guard let value, value.isFinite else { return "-" }
    return String(format: "%.\(decimals)f", value)
  }
}
