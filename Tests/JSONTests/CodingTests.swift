import Foundation
import JSON
import Testing

@Suite("Coding to and from JSON")
struct CodingTests {
  @Test("a digest does not depend on the order in which keys are written")
  func digests() throws {
    func digest(_ keys: [String]) throws -> String {
      let members = keys.map { #""\#($0)": {"x": 1, "\#($0)": [1, 2.5, null]}"# }
      let text = "{\(members.joined(separator: ", "))}"
      return try ContentHash.ofSorted(JSON.parse(Data(text.utf8), file: "t"))
    }
    #expect(try digest(["a", "b", "c"]) == digest(["c", "a", "b"]))
    #expect(try digest(["a", "b"]) != digest(["a", "c"]))
  }

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
      throws: JSONError.unknownKey(file: "o.json", path: "inner.0.wieght", nearest: "weight")
    ) { try decode(text) }
  }

  @Test("a missing key and a wrong type are errors with their path")
  func missingAndWrong() {
    #expect(throws: JSONError.missingKey(file: "o.json", path: "table")) {
      try decode(#"{"name":"x","count":1,"inner":[]}"#)
    }
    #expect(
      throws: JSONError.wrongType(
        file: "o.json", path: "name", expected: "a string", found: "an integer")
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
}
