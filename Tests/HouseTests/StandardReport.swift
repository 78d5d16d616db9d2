import Foundation
import TestSupport

/// The committed report of the standard tier.
enum StandardReport {
  /// The cells of a table's row.
  static func cells(_ line: Substring) -> [String] {
    line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
  }

  /// The figures, marks included, by `method@access` and column.
  static func figures() throws -> [String: [String: String]] {
    let url = Fixtures.repository.appending(path: "Reports/standard.md")
    var figures: [String: [String: String]] = [:]
    var header: [String] = [], access = ""
    for line in try String(contentsOf: url, encoding: .utf8).split(separator: "\n") {
      if line.hasPrefix("## The held-out half") { break }
      guard line.hasPrefix("|") else { continue }
      let row = cells(line)
      if row[0].hasPrefix("from ") {
        (header, access) = (row, String(row[0].dropFirst("from ".count)))
      } else if !row[0].hasPrefix("---") {
        for (title, value) in zip(header, row).dropFirst() {
          figures["\(row[0])@\(access)", default: [:]][title] = value
        }
      }
    }
    return figures
  }
}
