import Reporting
import Testing

@Suite("Lines of text")
struct ProseTests {
  @Test("a long sentence stands in lines of a page's width, no word lost")
  func wrapped() {
    let words = (0..<60).map { "word\($0)" }
    let lines = Prose.wrapped(words.joined(separator: " "), indent: "  ").split(separator: "\n")
    #expect(lines.count > 3)
    #expect(lines.allSatisfy { $0.count <= TextTable.width })
    #expect(lines.dropFirst().allSatisfy { $0.hasPrefix("  word") })
    #expect(lines.flatMap { $0.split(separator: " ").map(String.init) } == words)
  }

  @Test("columns keep their spaces, and tables stay as they are")
  func layout() {
    #expect(Prose.wrapped("  a    b", keepsLayout: true) == "  a    b")
    let long = "name      " + Array(repeating: "text", count: 30).joined(separator: " ")
    let lines = Prose.wrapped(long, indent: "          ", keepsLayout: true).split(separator: "\n")
    #expect(lines.count == 2 && lines[0].hasPrefix("name      text text"))
    #expect(lines[1].hasPrefix("          text"))
    let row = "  | " + String(repeating: "x", count: 120) + " |"
    #expect(Prose.wrapped(row, keepsLayout: true) == row)
    #expect(Prose.wrapped("a  b") == "a b")
  }

  @Test("numbers have fixed decimals, and none is a dash")
  func numbers() {
    #expect(Prose.number(0.126) == "0.13" && Prose.number(2, 0) == "2")
    #expect(Prose.number(nil) == "-" && Prose.number(.infinity) == "-")
  }
}
