/// How a table is written for others than readers of Markdown.
extension TextTable {
  /// Comma-separated values, the header first.
  ///
  /// - Parameter lineEnd: In files that of RFC 4180; on a terminal a line ends as everywhere.
  package func csv(lineEnd: String = "\r\n") -> String {
    ([header] + rows).map { $0.map(Self.csvField).joined(separator: ",") + lineEnd }.joined()
  }

  /// Quoted where it has to be; what a spreadsheet would take for a formula is none.
  private static func csvField(_ text: String) -> String {
    let isFormula = text.first.map { "=@\t\r".contains($0) } ?? false
    let text = isFormula ? "'" + text : text
    guard text.contains(where: { ",\"\n\r\r\n".contains($0) }) else { return text }
    return "\"" + text.replacing("\"", with: "\"\"") + "\""
  }

  /// A `tabular` with the rules of the booktabs package.
  package var latex: String {
    let columns = header.indices.map { $0 < leading ? "l" : "r" }.joined()
    func line(_ cells: [String]) -> String {
      "  " + cells.map(Self.latexText).joined(separator: " & ") + " \\\\"
    }
    return """
      \\begin{tabular}{\(columns)}
        \\toprule
      \(line(header))
        \\midrule
      \(rows.map(line).joined(separator: "\n"))
        \\bottomrule
      \\end{tabular}
      """
  }

  private static func latexText(_ text: String) -> String {
    text.reduce(into: "") { result, character in
      switch character {
      case "\\": result += "\\textbackslash{}"
      case "~": result += "\\textasciitilde{}"
      case "^": result += "\\textasciicircum{}"
      case "&", "%", "$", "#", "_", "{", "}": result += "\\\(character)"
      case "°": result += "$^\\circ$"
      case "–": result += "--"
      case "×": result += "$\\times$"
      case "[": result += "{[}"
      case "]": result += "{]}"
      default: result.append(character)
      }
    }
  }
}
