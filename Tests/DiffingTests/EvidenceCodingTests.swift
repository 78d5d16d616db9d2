import Diffing
import Foundation
import JSON
import Tensors
import TestSupport
import Testing
import Transformers

/// Evidence as JSON, ours and other programs'.
@Suite("Evidence as JSON")
struct EvidenceCodingTests {
  /// Evidence with every kind of claim and exhibit.
  static var full: Evidence {
    var evidence = Evidence()
    evidence.magnitude = 0.1
    evidence.tokens = [
      TokenClaim(token: 70_000, score: 1.5, sign: 1), TokenClaim(token: 3, score: 1e-30, sign: 1),
      TokenClaim(token: 7, score: -2, sign: -1),
    ]
    evidence.inputs = [InputClaim(row: 9, score: 0.1), InputClaim(row: 2, score: -0.5)]
    evidence.sites = SiteClaim.ranking([(.mlp(layer: 1), 2), (.embedding, 1)])
    evidence.interventions = [
      .steer(layer: 1, direction: [0.1, -3]), .project(layer: 0, direction: [1, 2]),
      .patch(.attention(layer: 2)),
      .weights([
        TensorEdit(name: "a", change: .ofFinetune(factor: 0.5)),
        TensorEdit(
          name: "b",
          change: .lowRank(
            left: Tensor(shape: [2, 1], scalars: [1, 2]),
            right: Tensor(shape: [1, 3], scalars: [3, 4, 5]))),
        TensorEdit(name: "c", change: .sparse(indices: [4, 1], values: [1, 0.1])),
        TensorEdit(name: "d", change: .dense([0.1, 0.2])),
      ]),
    ]
    evidence.exhibits = [
      Exhibit(
        "table",
        .table(columns: ["a", "b"], rows: [[.text("x"), .number(0.5)], [.token(3), .none]])),
      Exhibit("map", .heatMap(rows: ["r"], columns: ["c"], values: [[0.25]])),
      Exhibit("curves", .curves(axis: "x", points: ["0"], lines: [.init("l", [1])])),
      Exhibit("spectrum", .spectrum([.init("s", [2, 1])])),
      Exhibit("strip", .strip(tokens: [1, 2], values: [0, 1])),
      Exhibit("tokens", .tokens([.init("t", [5])])),
      Exhibit("inputs", .inputs([InputClaim(row: 1, score: 2)])),
      Exhibit("texts", .texts([.init([1, 2], score: 3)])),
    ]
    return evidence
  }

  private func read(_ text: String) throws -> Evidence {
    try JSON.decode(Evidence.self, from: Data(text.utf8), file: "evidence.json")
  }

  @Test("everything is read back exactly, packed or as lists", arguments: [false, true])
  func roundTrip(writesLists: Bool) throws {
    try PackedNumbers.$writesLists.withValue(writesLists) {
      let text = try JSON.encode(Self.full)
      #expect(text.contains("f32:") == !writesLists)
      #expect(text.contains("u32:") == !writesLists)
      #expect(try read(text) == Self.full)
    }
    #expect(try read("{}") == Evidence())
  }

  @Test("a program that knows nothing of packing can write evidence")
  func lists() throws {
    let read = try read(
      """
      { "magnitude": 2,
        "tokens": { "promoted": { "ids": [5, 6], "scores": [1, 0.5] },
                    "suppressed": { "ids": [], "scores": [] } },
        "sites": [ { "site": "blocks.1.mlp", "score": 1 } ],
        "interventions": [ { "steer": { "layer": 0, "direction": [1, 0] } },
                           { "weights": [ { "tensor": "t", "rank": 1, "left": [1], "right": [2, 3] } ] } ] }
      """)
    #expect(read.tokens?.map(\.token) == [5, 6])
    #expect(read.sites?.first?.site == .mlp(layer: 1))
    #expect(read.interventions?.count == 2)
  }

  @Test(
    "what is wrong is an error that says what",
    arguments: [
      (
        #"{"tokens":{"promoted":{"ids":[1],"scores":[]},"suppressed":{"ids":[],"scores":[]}}}"#,
        "1 items and 0"
      ),
      (#"{"sites":[{"site":"blocks.mlp","score":1}]}"#, "blocks.mlp"),
      (#"{"inputs":{"rows":"u16:!","scores":[1]}}"#, "u16:"),
      (#"{"inputs":{"rows":[1],"scores":"f32:AA=="}}"#, "f32:"),
      (
        #"{"interventions":[{"weights":[{"tensor":"t","rank":2,"left":[1],"right":[1]}]}]}"#,
        "no rank of 2"
      ),
      (#"{"magnitude":1,"magnitud":2}"#, "magnitud"),
    ])
  func wrong(text: String, expected: String) {
    let error = #expect(throws: (any Error).self) { try read(text) }
    #expect(error.map { "\($0)".contains(expected) } == true, "\(String(describing: error))")
  }

  @Test("an edit is the same tensor however it is said, and nil where it does not fit")
  func edits() throws {
    let base = TinyModels.llama()
    var finetuned = base
    let name = "model.layers.0.mlp.up_proj.weight", shape = base.parameters.layout[name].shape
    let left = Tensor(shape: [shape[0], 1], scalars: (0..<shape[0]).map { Float($0) - 3 })
    let right = Tensor(shape: [1, shape[1]], scalars: (0..<shape[1]).map { Float($0) * 0.5 })
    let change = matrixProduct(left, right)
    finetuned.parameters[name] = base.parameters[name] + change
    let pair = try ModelPair(base: base, finetuned: finetuned)
    func tensor(_ change: TensorEdit.Change) -> Tensor? {
      TensorEdit(name: name, change: change).tensor(in: pair)
    }
    let places = Array(0..<change.count)
    #expect(tensor(.dense(change.scalars)) == change)
    #expect(tensor(.lowRank(left: left, right: right)) == change)
    #expect(tensor(.sparse(indices: places, values: change.scalars)) == change)
    expectClose(
      try #require(tensor(.ofFinetune(factor: 0.5))), change.scaled(by: 0.5), tolerance: 1e-5)
    #expect(tensor(.dense([1])) == nil)
    #expect(tensor(.sparse(indices: [change.count], values: [1])) == nil)
    #expect(tensor(.lowRank(left: right, right: left)) == nil)
    #expect(TensorEdit(name: "none", change: .ofFinetune(factor: 1)).tensor(in: pair) == nil)
  }
}
