import Foundation
import JSON
import Testing

@Suite("Texts that do nothing where they are shown")
struct PrintableTests {
  @Test("controls, colours and turns of direction are written out; scripts that join stay")
  func lines() {
    #expect(Printable.lines("a\u{1B}[31mb\r\nc\td") == "a\\u{1B}[31mb\\u{D}\nc\td")
    #expect(Printable.lines("x\u{202E}y\u{2066}z\u{9B}") == "x\\u{202E}y\\u{2066}z\\u{9B}")
    #expect(Printable.line("a\nb\u{2028}") == "a\\u{A}b\\u{2028}")
    for text in ["می\u{200C}خواهم", "👩\u{200D}💻", "日本 é e\u{301}"] {
      #expect(Printable.line(text) == text)
    }
  }

  @Test("JSON that does nothing means what it did")
  func json() throws {
    let text = "a\u{1B}\u{202E}\u{E0001}\u{7F}é\n"
    let shown = Printable.json(JSON.text(of: .array([.string(text)])))
    #expect(Printable.lines(shown) == shown)
    #expect(try JSON.parse(Data(shown.utf8), file: "x") == .array([.string(text)]))
  }

  @Test("a quoted text stays short and on its line")
  func quoted() {
    #expect(Printable.quoted("a\nb") == "a\\u{A}b")
    let long = Printable.quoted(String(repeating: "x", count: 1 << 20) + "end")
    #expect(long.count == 121 && long.hasSuffix("end"))
  }

  @Test("nothing of a text is markup")
  func markdown() {
    #expect(
      Printable.markdown("<img src=x> [a](b) | `c` *d*")
        == "&lt;img src=x&gt; \\[a\\](b) \\| \\`c\\` \\*d\\*")
  }
}
