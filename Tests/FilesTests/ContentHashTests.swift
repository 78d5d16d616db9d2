import Foundation
import JSON
import Files
import Testing

@Suite("Content hashes")
struct ContentHashTests {
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
}
