import Diffing
import Tensors
import TestSupport
import Testing
import Transformers

/// Evidence that no score may rest on.
@Suite("Checks of evidence")
struct EvidenceCheckTests {
  /// A method that says what it is told to.
  struct Parrot: DiffingMethod {
    static let card = MethodCard(
      id: "parrot", summary: "Says what it is told.", source: "a test", questions: [.what],
      access: [.weights])

    nonisolated(unsafe) static var words = Evidence()

    init() {}

    func diff(_ pair: ModelPair, on prompts: PromptSet, using generator: inout SeededGenerator)
      throws -> Evidence
    { Self.words }
  }

  static let faults: [(String, @Sendable (inout Evidence) -> Void)] = [
    ("a sign", { $0.tokens = [TokenClaim(token: 3, score: 1, sign: 2)] }),
    ("below 0", { $0.tokens = [TokenClaim(token: -1, score: 1, sign: 1)] }),
    ("a score", { $0.tokens = [TokenClaim(token: 3, score: .nan, sign: 1)] }),
    ("a row below 0", { $0.inputs = [InputClaim(row: -1, score: 1)] }),
    ("infinite magnitude", { $0.magnitude = .infinity }),
    (
      "a tensor twice",
      {
        let edit = TensorEdit(name: "a", change: .ofFinetune(factor: 0.5))
        $0.interventions = [.weights([edit, edit])]
      }
    ),
    (
      "rank 0",
      {
        let none = Tensor(shape: [2, 0], scalars: [])
        $0.interventions = [
          .weights([
            TensorEdit(
              name: "a",
              change: .lowRank(left: none, right: Tensor(shape: [0, 3], scalars: [])))
          ])
        ]
      }
    ),
    (
      "a place below 0",
      {
        $0.interventions = [
          .weights([TensorEdit(name: "a", change: .sparse(indices: [-1], values: [1]))])
        ]
      }
    ),
  ]

  @Test("each fault is found, in memory as in JSON", arguments: faults.indices)
  func isFound(index: Int) {
    var evidence = Evidence()
    Self.faults[index].1(&evidence)
    #expect(evidence.fault() != nil, "\(Self.faults[index].0)")
  }

  @Test("sound evidence has no fault, a token outside the vocabulary is one")
  func sound() {
    #expect(EvidenceCodingTests.full.fault() == nil)
    #expect(EvidenceCodingTests.full.fault(vocabulary: 100) == "a token is outside the vocabulary")
  }

  @Test("an exhibit that cannot be shown costs a method nothing else")
  func exhibits() throws {
    var evidence = Evidence()
    evidence.magnitude = 1
    evidence.exhibits = [
      Exhibit("ragged", .table(columns: ["a", "b"], rows: [["x"]])),
      Exhibit("infinite", .heatMap(rows: ["r"], columns: ["c"], values: [[.infinity]])),
      Exhibit("undefined", .texts([.init([1], score: .nan)])),
      Exhibit("good", .tokens([.init("t", [1])])),
    ]
    Parrot.words = evidence
    let base = TinyModels.llama(), other = TinyModels.llama(seed: 2)
    var generator = SeededGenerator(seed: 0)
    let prompts = PromptSet(
      access: .weights, text: TokenBatch([]), documentStart: 1, specialTokens: [])
    let found = try Parrot().evidence(
      for: ModelPair(base: base, finetuned: other), on: prompts, using: &generator)
    #expect(found.magnitude == 1)
    #expect(found.exhibits.map(\.title) == ["ragged", "infinite", "undefined", "good"])
    for exhibit in found.exhibits.dropLast() {
      guard case .table(let columns, _) = exhibit.content else {
        Issue.record("\(exhibit.title) is shown")
        continue
      }
      #expect(columns == ["left out"])
    }
    #expect(found.exhibits.last == evidence.exhibits.last)
  }
}
