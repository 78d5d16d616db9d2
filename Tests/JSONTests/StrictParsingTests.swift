import Foundation
import JSON
import Testing

@Suite("Strict JSON")
struct StrictParsingTests {
  /// What json-c's own strict mode lets pass, and what it does not.
  static let refused: [(text: String, offset: Int?)] = [
    (#"{"a": 1, "a": 2}"#, nil), (#"{"a": 1, "\u0061": 2}"#, nil), ("[NaN]", 1),
    ("[Infinity]", 1), ("[-Infinity]", 1), ("[1.]", 3), ("[\"a\tb\"]", 3),
    ("[18446744073709551616]", nil), ("[-9223372036854775809]", nil), ("[1e400]", nil),
    (#"["\ud800"]"#, nil), (#"["\udc00x"]"#, nil), ("[1,]", 3), ("// no\n1", 0), ("['a']", 1),
    ("[True]", 1), ("[01]", 2), ("[+1]", 1), ("[.5]", 1), ("[1] 2", 4), ("[1", 2), ("", 0),
    ("{\"a\" 1}", 5), ("{a: 1}", 1), (" \u{FEFF}[1]", 1), (#"["\x"]"#, nil), ("[1 2]", 3),
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

  @Test("every character beyond the first plane is read where it is written as two halves")
  func surrogates() throws {
    for plane in UInt32(1)...16 {
      let scalars = (plane << 16..<(plane + 1) << 16).compactMap(Unicode.Scalar.init)
      let text = scalars.map { scalar in
        String(scalar).utf16.map { "\\u" + String($0, radix: 16) }.joined()
      }.joined()
      let value = try JSON.parse(Data("[\"\(text)\"]".utf8), file: "x.json")
      #expect(value == .array([.string(String(String.UnicodeScalarView(scalars)))]))
    }
    let escaped = try JSON.parse(Data(#"["\\ud83d\\ude00"]"#.utf8), file: "x.json")
    #expect(escaped == .array([.string(#"\ud83d\ude00"#)]), "a backslash that is written as two")
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

  @Test("a byte order mark before a document is passed over")
  func mark() throws {
    #expect(try JSON.parse(Data("\u{FEFF}[1]".utf8), file: "x") == .array([.integer(1)]))
  }

  @Test("numbers that JSON has not are read only where that is asked for")
  func undefined() throws {
    let text = Data("[NaN, Infinity, -Infinity, 1000000000000000019884624838656]".utf8)
    guard case .array(let values) = try JSON.parse(text, file: "x", isLenient: true) else {
      throw JSONError.syntax(file: "x", offset: 0, reason: "no array")
    }
    let numbers = values.map { value in if case .number(let number) = value { number } else { 0.0 }
    }
    #expect(values[3] == .unsigned(.max) || values[3] == .integer(.max))
    #expect(numbers[0].isNaN && numbers[1] == .infinity && numbers[2] == -.infinity)
  }

  @Test("keys are told apart by their bytes")
  func twins() throws {
    let text = Data("{\"\u{E9}\": 1, \"e\u{301}\": 2, \"\u{2126}\": 3, \"\u{3A9}\": 4}".utf8)
    let tree = try JSON.parse(text, file: "x")
    for (key, value) in [("\u{E9}", 1), ("e\u{301}", 2), ("\u{2126}", 3), ("\u{3A9}", 4)] {
      #expect(tree[key] == .integer(Int64(value)))
    }
    #expect(JSONValue.string("\u{E9}") != .string("e\u{301}"))
  }

  @Test("keys may begin with, hold or be a zero character")
  func zeros() throws {
    let text = Data(
      #"{"\u0000": 1, "\u0000a": 2, "b\u0000": 3, "\\u0000": 4, "\uE000": 5}"#.utf8)
    let tree = try JSON.parse(text, file: "x")
    for (key, value) in [("\0", 1), ("\0a", 2), ("b\0", 3), (#"\u0000"#, 4), ("\u{E000}", 5)] {
      #expect(tree[key] == .integer(Int64(value)), "\(key.debugDescription)")
    }
    #expect(throws: JSONError.self) {
      try JSON.parse(Data(#"{"\u0000": 1, "\u0000": 2}"#.utf8), file: "x")
    }
  }

  @Test(
    "what is no JSON at all is named",
    arguments: [
      ("version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "Git LFS"),
      ("<!DOCTYPE html><html></html>", "web page"), ("GGUF....", "GGUF"),
      ("PK\u{3}\u{4}..", "pickle"),
      ("\0\0\0\0", "zeros"),
    ])
  func foreign(text: String, says: String) {
    #expect { try JSON.parse(Data(text.utf8), file: "x.json") } throws: {
      "\($0)".contains(says) && "\($0)".contains("x.json")
    }
  }

  @Test("what has no end is not read")
  func pipe() throws {
    let name = URL(filePath: NSTemporaryDirectory()).appending(
      path: "assay-pipe-\(UUID().uuidString)")
    #expect(unsafe mkfifo(name.path, 0o600) == 0)
    defer { try? FileManager.default.removeItem(at: name) }
    #expect { try JSON.parse(contentsOf: name) } throws: { "\($0)".contains("pipe") }
    #expect { try JSON.parse(contentsOf: URL(filePath: "/dev/zero")) } throws: {
      "\($0)".contains("device")
    }
  }

  @Test("the nearest name is not looked for among texts that are no names")
  func longNames() {
    let long = String(repeating: "a", count: 1 << 20)
    #expect(nearest(to: long, among: [long, "a"]) == nil)
    #expect(nearest(to: "lampt", among: [long, "lamp"]) == "lamp")
  }

  @Test("objects keep the order of their keys")
  func order() throws {
    let text = #"{"z":1,"a":{"y":2,"b":3}}"#
    #expect(JSON.text(of: try JSON.parse(Data(text.utf8), file: "x")) == text)
  }
}
