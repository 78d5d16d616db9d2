import Foundation
import JSON
import Testing

@Suite("Coding to and from JSON")
struct CodingTests {
  struct Inner: Codable, Equatable {
    var weight: Double
    var tags: [String]?
  }

  struct Outer: Codable, Equatable {
    var name: String
    var count: UInt8
    var inner: [Inner]
    var table: [String: Int]
  }

  private func decode(_ text: String) throws -> Outer {
    try JSON.decode(Outer.self, from: Data(text.utf8), file: "o.json")
  }

  @Test("a value survives a round trip")
  func roundTrip() throws {
    let value = Outer(
      name: "x", count: 255, inner: [Inner(weight: 0.1, tags: ["a"]), Inner(weight: 2)],
      table: ["k": -1])
    #expect(try decode(JSON.encode(value)) == value)
  }

  @Test("an unknown key is an error with its path and the nearest key")
  func unknownKey() {
    let text = #"{"name":"x","count":1,"inner":[{"wieght":1,"weight":2}],"table":{}}"#
    #expect(
      throws: JSONError.unknownKey(file: "o.json:1", path: "inner.0.wieght", nearest: "weight")
    ) { try decode(text) }
  }

  private enum Colour: String, Codable, CaseIterable {
    case red, blue
  }

  @Test("a value that is no case of an enumeration is an error with its path and the cases")
  func unknownCase() {
    #expect(
      throws: JSONError.invalid(
        file: "o.json:2", path: "wall.1", reason: "'green' is none of red, blue")
    ) {
      try JSON.decode(
        [String: [Colour]].self, from: Data("{\"wall\": [\"red\",\n\"green\"]}".utf8),
        file: "o.json")
    }
  }

  @Test("a missing key and a wrong type are errors with their path")
  func missingAndWrong() {
    #expect(throws: JSONError.missingKey(file: "o.json:1", path: "table")) {
      try decode(#"{"name":"x","count":1,"inner":[]}"#)
    }
    #expect(
      throws: JSONError.wrongType(
        file: "o.json:1", path: "name", expected: "a string", found: "an integer")
    ) { try decode(#"{"name":1,"count":1,"inner":[],"table":{}}"#) }
  }

  @Test("an integer that does not fit is an error, not clamped", arguments: ["256", "-1", "1.5"])
  func range(number: String) {
    #expect(throws: JSONError.self) {
      try decode(#"{"name":"x","count":\#(number),"inner":[],"table":{}}"#)
    }
  }

  @Test("a number that JSON cannot hold is an error, not NaN")
  func notFinite() {
    #expect(throws: JSONError.self) { try JSON.encode([Double.nan]) }
    #expect(throws: JSONError.self) { try JSON.encode([Float.infinity]) }
  }

  @Test("floats are written as the shortest decimal that reads back")
  func floats() throws {
    #expect(try JSON.encode([Float(0.1), 3.4e38]) == "[0.1,3.4e+38]")
  }

  @Test("the nearest name is found, and only if it is near")
  func nearestName() {
    #expect(nearest(to: "wolv", among: ["owl", "wolf"]) == "wolf")
    #expect(nearest(to: "zebra", among: ["owl", "wolf"]) == nil)
  }

  @Test(
    "errors name the line, wherever the value stands",
    arguments: [
      ("{\n\"name\": \"a\",\n\"count\": \"x\"\n}", "o.json:3: 'count' should be"),
      ("{\n\"a.b\": [1,\n2],\n\"name\": 5}", "o.json:4: 'name'"),
      (
        "{\"name\": \"a\", \"count\": 1,\n\"inner\": [\n{\"weight\": 1},\n{\"weight\": \"}\"}]}",
        "o.json:4: 'inner.1.weight'"
      ),
      ("{\n\n\"name\": \"a\" \"count\": 1}", "o.json:3: not valid JSON"),
      ("{\"name\": \"a\",\n\"name\": \"b\"}", "o.json:2: key 'name' appears twice"),
    ])
  func lines(text: String, expected: String) {
    let error = #expect(throws: JSONError.self) { try decode(text) }
    #expect(error?.description.hasPrefix(expected) == true, "\(error?.description ?? "")")
  }
}

@Suite("Texts in composed form")
struct ComposedTests {
  @Test(
    "a definition's texts are in composed form, keys too",
    arguments: [
      #"{"name": "cafe\u0301"}"#, "{\"cafe\u{301}\": \"x\"}", "{\"name\": \"\u{212B}\"}",
      #"{"a": [{"b": "\u2126"}]}"#,
    ])
  func decomposed(text: String) {
    #expect {
      try JSON.decode(JSONValue.self, from: Data(text.utf8), file: "o.json", isComposed: true)
    } throws: { "\($0)".contains("NFC") && "\($0)".contains("o.json:1") }
    #expect(throws: Never.self) {
      try JSON.decode(JSONValue.self, from: Data(text.utf8), file: "o.json")
    }
  }

  @Test("composed texts of every script pass")
  func composed() {
    let text = "{\"caf\u{E9}\": \"\u{3A9} \u{65E5}\u{672C} \u{AC00} \u{1F600}\"}"
    #expect(throws: Never.self) {
      try JSON.decode(JSONValue.self, from: Data(text.utf8), file: "o.json", isComposed: true)
    }
  }
}
