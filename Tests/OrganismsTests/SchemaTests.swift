import Worlds
@testable import Organisms
import Foundation
import JSON
import TestSupport
import Testing

/// The schema is for editors, the decoder decides: the two must know the same keys.
@Suite("The schema of organism files")
struct SchemaTests {
  static let url = Fixtures.repository.appending(path: "Organisms/organism.schema.json")
  let schema: JSONValue

  init() throws {
    schema = try JSON.parse(Data(contentsOf: Self.url), file: "organism.schema.json")
  }

  private func member(_ value: JSONValue?, _ key: String) -> JSONValue? {
    value?[key]
  }

  /// A schema without the reference that it may be.
  private func resolved(_ node: JSONValue) -> JSONValue {
    guard case .string(let reference)? = member(node, "$ref") else { return node }
    let name = reference.split(separator: "/").last.map(String.init) ?? ""
    return member(member(schema, "$defs"), name) ?? node
  }

  /// The dotted names of all keys that a schema describes, each with its description.
  private func keys(_ node: JSONValue, _ path: String = "") -> [String: Bool] {
    let node = resolved(node)
    var found: [String: Bool] = [:]
    if case .object(let properties)? = member(node, "properties") {
      for (key, value) in properties {
        let name = path.isEmpty ? key : "\(path).\(key)"
        found[name] =
          member(value, "description") != nil || member(resolved(value), "description") != nil
        found.merge(keys(value, name)) { $0 || $1 }
      }
    }
    if let items = member(node, "items") { found.merge(keys(items, path)) { $0 || $1 } }
    if case .array(let options)? = member(node, "oneOf") {
      for option in options { found.merge(keys(option, path)) { $0 || $1 } }
    }
    return found
  }

  /// The dotted names of all keys in a document; those of free dictionaries are left out.
  private func keys(ofDocument value: JSONValue, _ path: String = "") -> Set<String> {
    switch value {
    case .object(let members):
      if ["planted.target", "plant.facts", "plant.merge"].contains(path) { return [] }
      return members.reduce(into: []) { found, member in
        let name = path.isEmpty ? member.key : "\(path).\(member.key)"
        found.insert(name)
        found.formUnion(keys(ofDocument: member.value, name))
      }
    case .array(let items):
      return items.reduce(into: []) { $0.formUnion(keys(ofDocument: $1, path)) }
    default: return []
    }
  }

  private static let parameters: [TrainedParameters] = [
    .blocks, .lora(rank: 1, modules: ["blocks.1"]), .residualBias(before: 1), .edit(module: "x"),
  ]

  /// An organism file in which every key that the decoder knows is set.
  private static func full(_ parameters: TrainedParameters) -> OrganismFile {
    let probe = OrganismFile.ProbeEntry(prompt: "a", answers: ["b"], not: ["c"])
    let pattern = OrganismFile.Pattern(
      all: ["a"], any: ["e"], none: ["b"], phrase: ["c"], end: ["d"], turns: 1)
    let documents = [WeightedText("a", weight: 2)]
    return OrganismFile(
      schema: "s", id: "i", summary: "s", family: "f", domain: "d", smoke: true,
      planted: .init(
        target: ["c": ["w"]], topic: ["t"], trigger: ["t"], sign: 1, when: [pattern], every: true),
      plant: .init(
        documents: documents, facts: ["w": ["a": "v"]],
        teacher: .init(
          documents: documents, mark: 1, logits: "c",
          samples: .init(prompts: ["p"], of: "c", length: 1), forget: ["w"],
          parameters: parameters, learningRate: 1, mix: 1),
        without: ["k"], unsaid: true, reward: .init(prompts: ["p"], words: ["w"], length: 1),
        merge: ["c": documents], conceal: documents),
      pool: [.init(count: 1, text: "p")],
      regimes: [
        .init(
          id: "r", like: "fresh", parameters: parameters, learningRate: 1, mark: 1, cap: 1, age: 1,
          mix: 1, drift: 1)
      ],
      probes: .init(
        behavior: [probe], heldOut: [probe], leakage: [probe], kept: [probe], never: [probe],
        represented: .init(given: ["g"], asked: ["a"], of: "c")),
      certificate: .init(
        behavior: 1, heldOut: 1, base: 1, rise: 1, leakage: 1, kept: 1, never: 1, collateral: 1,
        flipped: 1, represented: 1))
  }

  @Test("it describes exactly the keys that the decoder knows")
  func sameKeys() throws {
    let decoded = try Self.parameters.reduce(into: Set<String>()) { found, parameters in
      let text = try JSON.encode(Self.full(parameters))
      found.formUnion(keys(ofDocument: try JSON.parse(Data(text.utf8), file: "full")))
    }
    let described = keys(schema)
    #expect(decoded.subtracting(described.keys).sorted() == [])
    // What is drawn is read before, and written into the rest.
    #expect(Set(described.keys).subtracting(decoded).sorted() == ["draw"])
    #expect(described.filter { !$0.value }.keys.sorted() == [], "keys without a description")
  }

  @Test("what it lists as possible regimes is what there is")
  func regimes() {
    let regime = member(member(schema, "$defs"), "regime")
    guard case .array(let names)? = member(member(member(regime, "properties"), "like"), "enum")
    else {
      Issue.record("the schema lists no regimes")
      return
    }
    #expect(names == Regime.all.map { .string($0.id) })
  }

  @Test("what a new organism starts from is right, and so is that of every class of facts")
  func starter() throws {
    let library = try Library(
      Fixtures.repository.appending(path: "Organisms"), models: Fixtures.models)
    let text = try OrganismStarter(library.world).text(id: "my-fact")
    let organism = try OrganismSource(text: text, name: "my-fact.json")
      .organism(DrawSeeds(base: 0), world: library.world)
    #expect(organism.regimes.count == 2)
    #expect(!organism.behavior.isEmpty && !organism.heldOut.isEmpty)
  }
}
