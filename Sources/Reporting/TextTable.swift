internal import JSON

/// A table as aligned Markdown, which reads well on a terminal too.
package struct TextTable: Sendable {
  package let header: [String]
  package var rows: [[String]]
  /// Columns that name a row: they stand left in every part of a table that is too wide.
  let leading: Int

  /// Characters that a line of a report may have.
  package static let width = 100

  package init(header: [String], rows: [[String]] = [], names: Int = 1) {
    self.header = header.map(Self.cell)
    self.rows = rows.map { row in
      row.prefix(header.count).map(Self.cell)
        + Array(repeating: "", count: max(0, header.count - row.count))
    }
    leading = names
  }

  /// A text in a cell: it neither ends the cell nor the line.
  private static func cell(_ text: String) -> String {
    let text = Printable.line(text)
    return text.utf8.contains(UInt8(ascii: "|")) ? text.replacing("|", with: "¦") : text
  }

  private var widths: [Int] {
    header.indices.map { column in
      max(3, ([header] + rows).map { $0[column].count }.max() ?? 0)
    }
  }

  /// The lines of the table; the columns that name a row are left-aligned, the others right-aligned.
  package var lines: [String] {
    let widths = widths
    func line(_ cells: [String]) -> String {
      let padded = cells.enumerated().map { column, cell in
        let space = String(repeating: " ", count: widths[column] - cell.count)
        return column < leading ? cell + space : space + cell
      }
      return "| " + padded.joined(separator: " | ") + " |"
    }
    let rule = widths.enumerated().map { column, width in
      column < leading
        ? String(repeating: "-", count: width) : String(repeating: "-", count: width - 1) + ":"
    }
    return [line(header), "| " + rule.joined(separator: " | ") + " |"] + rows.map(line)
  }

  package var text: String { lines.joined(separator: "\n") }

  /// The table in parts side by side, each as narrow as a page, one under the other.
  package var fitted: String { parts.map(\.text).joined(separator: "\n\n") }

  /// The same, line by line.
  package var fittedLines: [String] { parts.flatMap(\.lines) }

  private var parts: [TextTable] {
    let widths = widths.map { $0 + 3 }
    let room = Self.width - 1 - widths.prefix(leading).reduce(0, +)
    var groups: [[Int]] = [], left = 0
    for column in header.indices.dropFirst(leading) {
      if groups.isEmpty || widths[column] > left {
        groups.append([])
        left = room
      }
      groups[groups.count - 1].append(column)
      left -= widths[column]
    }
    guard groups.count > 1 else { return [self] }
    return groups.map { group in
      let columns = Array(0..<leading) + group
      return TextTable(
        header: columns.map { header[$0] }, rows: rows.map { row in columns.map { row[$0] } },
        names: leading)
    }
  }
}
