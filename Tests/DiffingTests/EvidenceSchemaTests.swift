import Diffing
import Foundation
import JSON
import TestSupport
import Testing

/// The published schema names exactly what evidence holds.
@Suite("The schema of evidence")
struct EvidenceSchemaTests {
  private func keys(of value: JSONValue) -> Set<String> {
    switch value {
    case .object(let members):
      members.reduce(into: []) {
        $0.formUnion([$1.key]); $0.formUnion(keys(of: $1.value))
      }
    case .array(let items): items.reduce(into: []) { $0.formUnion(keys(of: $1)) }
    default: []
    }
  }

  /// The names under every `properties` of a schema.
  private func properties(of value: JSONValue) -> Set<String> {
    switch value {
    case .object(let members):
      members.reduce(into: []) { names, member in
        if member.key == "properties", case .object(let inner) = member.value {
          names.formUnion(inner.map(\.key))
        }
        names.formUnion(properties(of: member.value))
      }
    case .array(let items): items.reduce(into: []) { $0.formUnion(properties(of: $1)) }
    default: []
    }
  }

  @Test("every key of evidence is in the schema, and every name of the schema's evidence is a key")
  func names() throws {
    let schema = try JSON.parse(contentsOf: Fixtures.url("evidence.schema.json"))
    let tree = try JSON.parse(
      Data(try JSON.encode(EvidenceCodingTests.full).utf8), file: "evidence")
    let definitions = try #require(schema["$defs"])
    #expect(keys(of: tree) == properties(of: definitions))
  }
}
