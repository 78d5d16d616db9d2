internal import Bench
package import Diffing
internal import Foundation
package import Transformers

/// An exhibit as lines for a terminal: maps as shades, curves as bars, tokens as words.
package struct ExhibitText: Sendable {
  private let names: TokenNames
  /// The prompts that input claims refer to.
  private let prompts: TokenBatch?

  /// Shows exhibits in words.
  ///
  /// - Parameters:
  ///   - tokenizer: Knows the words of token ids; ids are shown without it.
  ///   - prompts: The text that a method was given.
  package init(tokenizer: (any Tokenizer)?, prompts: TokenBatch?) {
    names = TokenNames(tokenizer)
    self.prompts = prompts
  }

  /// The lines of an exhibit, its title first.
  package func lines(_ exhibit: Exhibit) -> [String] {
    [exhibit.title] + body(exhibit.content).map { "  \($0)" }
  }

  private func body(_ content: Exhibit.Content) -> [String] {
    switch content {
    case .table(let columns, let rows):
      rows.isEmpty
        ? ["nothing"]
        : TextTable(header: columns, rows: rows.map { $0.map(cell) }).fittedLines
    case .heatMap(let rows, let columns, let values): heatMap(rows, columns, values)
    case .curves(let axis, let points, let lines): curves(axis, points, lines)
    case .spectrum(let lines):
      padded(lines.map { ($0.name, "\(Self.bars($0.values)) \(number($0.values.first ?? 0))") })
    case .strip(let tokens, let values): strip(tokens, values)
    case .tokens(let lists):
      padded(lists.map { ($0.name, $0.tokens.map(word).joined(separator: " ")) })
    case .inputs(let claims): claims.map(input)
    case .texts(let texts): texts.map { "\(number($0.score))  \(sentence($0.tokens))" }
    }
  }

  private func padded(_ rows: [(String, String)]) -> [String] {
    let width = rows.map(\.0.count).max() ?? 0
    return rows.map { $0.0.padding(toLength: width, withPad: " ", startingAt: 0) + "  " + $0.1 }
  }

  private func heatMap(_ rows: [String], _ columns: [String], _ values: [[Float]]) -> [String] {
    let largest = values.flatMap { $0.map(abs) }.max() ?? 0
    let cells = values.map { $0.map { "\(Self.shade($0, of: largest)) \(number($0))" } }
    return TextTable(
      header: [""] + columns, rows: zip(rows, cells).map { [$0] + $1 }
    ).fittedLines
  }

  private func curves(_ axis: String, _ points: [String], _ lines: [Exhibit.Line]) -> [String] {
    TextTable(
      header: [axis] + points, rows: lines.map { [$0.name] + $0.values.map(number) }
    ).fittedLines
  }

  private func strip(_ tokens: [Int], _ values: [Float]) -> [String] {
    let largest = values.map(abs).max() ?? 0
    return [
      zip(tokens, values).map { word($0) + Self.shade($1, of: largest) }.joined(separator: " ")
    ]
  }

  private func input(_ claim: InputClaim) -> String {
    let text = prompts.flatMap {
      (0..<$0.rows).contains(claim.row) ? sentence(Array($0.row(claim.row))) : nil
    }
    return "\(number(claim.score))  \(text ?? "row \(claim.row)")"
  }

  private func word(_ token: Int) -> String { names.word(token) }

  private func sentence(_ tokens: [Int]) -> String { names.text(tokens) }

  /// A cell of a table: a token in words, a number in three digits.
  private func cell(_ cell: Exhibit.Cell) -> String {
    switch cell {
    case .text(let text): text
    case .number(let value): number(value)
    case .token(let token): word(token)
    case .none: "-"
    }
  }

  private func number(_ value: Float) -> String { String(format: "%.3g", value) }

  /// A mark that is the darker the larger a value is; a minus goes with values below zero.
  private static func shade(_ value: Float, of largest: Float) -> String {
    let marks = Array(" ░▒▓█")
    guard largest > 0, value.isFinite else { return " " }
    let place = Int(abs(value) / largest * Float(marks.count))
    return (value < 0 ? "-" : "") + String(marks[min(place, marks.count - 1)])
  }

  /// A bar a value, relative to the first.
  private static func bars(_ values: [Float]) -> String {
    let first = max(values.first ?? 0, .leastNormalMagnitude)
    return Sparkline(values.map { Double($0 / first) }).text
  }
}
