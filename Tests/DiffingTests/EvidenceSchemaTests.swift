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
    let forms = try [false, true].map { writesLists in
      try PackedNumbers.$writesLists.withValue(writesLists) {
        keys(of: try JSON.value(of: EvidenceCodingTests.full))
      }
    }
    let definitions = try #require(schema["$defs"])
    #expect(forms[0].union(forms[1]) == properties(of: definitions))
  }
}
