import Foundation
import JSON
import Testing

@Suite("Strict JSON")
struct StrictParsingTests {
  /// What json-c's own strict mode lets pass, and what it does not.
  static let refused: [(text: String, offset: Int?)] = [
    (#"{"a": 1, "a": 2}"#, nil), (#"{"a": 1, "\u0061": 2}"#, nil), ("[NaN]", 1),
    ("[Infinity]", 1), ("[-Infinity]", 2), ("[1.]", 3), ("[\"a\tb\"]", 3),
    ("[18446744073709551616]", nil), ("[-9223372036854775809]", nil), ("[1e400]", nil),
    (#"["\ud800"]"#, nil), (#"["\udc00x"]"#, nil), ("[1,]", 3), ("// no\n1", 0), ("['a']", 1),
    ("[True]", 1), ("[01]", 2), ("[+1]", 1), ("[.5]", 1), ("[1] 2", 4), ("[1", 2), ("", 0),
    ("{\"a\" 1}", 5), ("{a: 1}", 1), ("\u{FEFF}[1]", 0), (#"["\x"]"#, nil), ("[1 2]", 3),
  ]

  @Test("what is not JSON is refused with its place", arguments: 0..<27)
  func refuses(index: Int) {
    let (text, offset) = Self.refused[index]
    do {
      let value = try JSON.parse(Data(text.utf8), file: "x.json")
      Issue.record("\(text) was read as \(value)")
    } catch {
      #expect("\(error)".contains("x.json"))
      if let offset, case .syntax(_, let found, _) = error { #expect(found == offset, "\(text)") }
    }
  }

  @Test("invalid UTF-8 is refused")
  func encoding() {
    #expect(throws: JSONError.self) {
      try JSON.parse(Data([0x5B, 0x22, 0xFF, 0x22, 0x5D]), file: "x.json")
    }
  }

  @Test("a document nested too deep is refused, not crashed on")
  func depth() {
    let text = String(repeating: "[", count: 100_000)
    #expect(throws: JSONError.self) { try JSON.parse(Data(text.utf8), file: "x.json") }
  }

  @Test("numbers keep their exact value")
  func numbers() throws {
    let text = "[0, -0.0, 0.1, 5e-324, 1.797e308, 18446744073709551615, -9223372036854775808]"
    let value = try JSON.parse(Data(text.utf8), file: "x")
    let expected: [JSONValue] = [
      .integer(0), .number(-0.0), .number(0.1), .number(.leastNonzeroMagnitude), .number(1.797e308),
      .unsigned(.max), .integer(.min),
    ]
    #expect(value == .array(expected))
    #expect(JSON.text(of: value).contains("5e-324"))
    #expect(try JSON.parse(Data(JSON.text(of: value).utf8), file: "x") == value)
  }

  @Test("strings survive a round trip", arguments: ["", "a/b", "\u{1F600}é\n\"\\", "\u{0}"])
  func strings(text: String) throws {
    let written = JSON.text(of: .string(text))
    #expect(try JSON.parse(Data(written.utf8), file: "x") == .string(text))
  }

  @Test("objects keep the order of their keys")
  func order() throws {
    let text = #"{"z":1,"a":{"y":2,"b":3}}"#
    #expect(JSON.text(of: try JSON.parse(Data(text.utf8), file: "x")) == text)
  }
}
