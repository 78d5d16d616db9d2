import Methods
import Foundation
import TestSupport
import Testing

/// Numbers that stand in pages are those of the committed reports.
@Suite("Numbers in pages")
struct PageTests {
  private func page(_ path: String) throws -> String {
    try String(contentsOf: Fixtures.repository.appending(path: path), encoding: .utf8)
  }

  private func cells(_ line: Substring) -> [String] { StandardReport.cells(line) }

  @Test("the README's table is that of the standard tier")
  func readme() throws {
    let known = try StandardReport.figures()
    #expect(known.count >= 33)
    let levels = ["weights": "weights", "unrelated text": "unrelated", "prompt pool": "pool"]
    var header: [String] = [], rows = 0
    for line in try page("README.md").split(separator: "\n") where line.hasPrefix("|") {
      let row = cells(line)
      if row[0] == "method" { header = row }
      guard header.count == row.count, row[0] != "method", !row[0].hasPrefix("---") else {
        if header.count != row.count { header = [] }
        continue
      }
      let own = try #require(known["\(row[0])@\(levels[row[1]] ?? row[1])"], "\(row[0])")
      for (title, value) in zip(header, row).dropFirst(2) {
        #expect(own[title] ?? "-" == value, "\(row[0]), \(row[1]): \(title)")
      }
      rows += 1
    }
    #expect(rows == 10)
  }

  @Test("what METHODS.md says of each method here is what the standard tier says")
  func methods() throws {
    let known = try StandardReport.figures()
    let levels = ["weights", "unrelated", "pool", "sampling"]
    var count = 0
    let table = try page("Sources/Methods/METHODS.md").split(separator: "<!-- end -->")[0]
    for line in table.split(separator: "\n")
    where line.hasPrefix("| `") {
      let row = cells(line)
      let id = row[0].replacingOccurrences(of: "`", with: "")
      let access = row[1].components(separatedBy: ", ")
      for part in (row.last ?? "").components(separatedBy: "; ") {
        let level = levels.first { part.hasPrefix("\($0):") } ?? access[0]
        let own = try #require(known["\(id)@\(level)"], "\(id)@\(level)")
        count += check(part, own, "\(id)@\(level)")
      }
    }
    #expect(count > 90)
  }

  /// Compares phrases such as `whether .72 (.65° narrow, .40 novel)` and `where .81`, marks included; how many there are.
  private func check(_ part: String, _ own: [String: String], _ name: String) -> Int {
    var count = 0
    for match in part.matches(
      of:
        /(whether|what|when|where|how) (\.\d\d°?|1\.00°?|0\.00°?)(?: \((\.\d\d°?) narrow, (\.\d\d°?) novel\))?/
    ) {
      count += 1
      #expect(short(own[String(match.1)]) == short(String(match.2)), "\(name): \(match.1)")
      if let narrow = match.3 {
        #expect(short(own["narrow"]) == short(String(narrow)), "\(name): narrow")
      }
      if let novel = match.4 {
        #expect(short(own["novel"]) == short(String(novel)), "\(name): novel")
      }
    }
    return count
  }

  private func short(_ number: String?) -> String? {
    number.map { $0.hasPrefix("0.") ? String($0.dropFirst()) : $0 }
  }

  @Test("no line of a committed table is wider than 100 characters")
  func widths() throws {
    let folder = Fixtures.repository.appending(path: "Reports")
    let pages = try FileManager.default.contentsOfDirectory(atPath: folder.path)
      .filter { $0.hasSuffix(".md") }
    #expect(pages.count >= 4)
    for name in pages {
      for line in try page("Reports/\(name)").split(separator: "\n") where line.hasPrefix("|") {
        #expect(line.count <= 100, "\(name): \(line)")
      }
    }
  }

  @Test("every word of the glossary is told once")
  func glossary() throws {
    let text = try page("CONTRIBUTING.md")
    let start = try #require(text.range(of: "## Glossary"))
    let end = try #require(
      text.range(of: "## Before you send", range: start.upperBound..<text.endIndex))
    let words = text[start.upperBound..<end.lowerBound].split(separator: "\n")
      .filter { $0.hasPrefix("| ") && !$0.hasPrefix("| ---") && !$0.hasPrefix("| word") }
      .map { cells($0)[0] }
    #expect(words.count >= 35)
    #expect(words == words.sorted() && Set(words).count == words.count)
  }

  @Test("every path that pages and comments name is there")
  func paths() throws {
    let root = Fixtures.repository
    var texts = try ["README.md", "CONTRIBUTING.md", "Organisms/README.md", "Fixtures/README.md"]
      .map { ($0, try page($0)) }
    let names = FileManager.default.enumerator(atPath: root.appending(path: "Sources").path)?
      .compactMap { $0 as? String }
    for name in names ?? [] where name.hasSuffix(".swift") || name.hasSuffix(".md") {
      texts.append((name, try page("Sources/\(name)")))
    }
    // What a reader is to write, or what only a run makes.
    let made = [
      "NextTokenShift", "Reports/local", "organisms/ID", "Fixtures/bases/hearth-N", "Reports/smoke",
    ]
    for (name, text) in texts {
      for match in text.matches(of: /`((?:Sources|Tests|Fixtures|Organisms|Reports)\/[\w.\/+-]+)`/)
      {
        let path = String(match.1)
        guard !made.contains(where: path.contains) else { continue }
        #expect(
          FileManager.default.fileExists(atPath: root.appending(path: path).path),
          "\(name) names \(path)")
      }
    }
  }
}
