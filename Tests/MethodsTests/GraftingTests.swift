import Diffing
import Methods
import Tensors
import TestSupport
import Testing
import Transformers

@Suite("Grafting")
struct GraftingTests: KnownChangeSuite {
  private let prompts = MethodContractTests.prompts(.pool)

  /// The base with a few numbers that matter, and many that do not: those of a token that no prompt holds.
  private func sparse() -> DecoderModel {
    var model = base
    var generator = SeededGenerator(seed: 5)
    for index in 0..<6 {
      model.parameters[module][2 * index, index] += Float(generator.normal())
    }
    let unread = 0
    for column in 0..<12 { model.parameters[base.names.embedding][unread, column] += 1 }
    return model
  }

  private func withoutToken(_ token: Int) -> PromptSet {
    let rows = (0..<prompts.text.rows).map { prompts.text.row($0).map { $0 == token ? 5 : $0 } }
    return PromptSet(
      access: .pool, text: TokenBatch(rows), documentStart: 1, specialTokens: [0, 1])
  }

  private func answers(_ model: any LanguageModel, _ prompts: PromptSet) -> Tensor {
    model.forward(prompts.text, logits: .last).logits.logProbabilities
  }

  @Test("a graft holds what matters and nothing else, and restores what it says")
  func restores() throws {
    let finetuned = sparse(), prompts = withoutToken(0)
    var method = Grafting()
    (method.rows, method.goal) = (40, 0.9)
    let found = try KnownChange.evidence(method, finetuned, access: .pool, prompts: prompts)
    guard case .weights(let edits)? = found.interventions?.first else {
      Issue.record("no graft")
      return
    }
    #expect(edits.map(\.name) == [module])
    let pair = try ModelPair(base: base, finetuned: finetuned)
    let part = try #require(edits.first?.tensor(in: pair))
    let change = pair.change(of: module)
    #expect(zip(part.scalars, change.scalars).allSatisfy { $0 == 0 || $0 == $1 })
    var grafted = base
    grafted.parameters[module] = base.parameters[module] + part
    let before = answers(base, prompts), moved = answers(finetuned, prompts) - before
    let restored =
      dot((answers(grafted, prompts) - before).scalars, moved.scalars)
      / dot(moved.scalars, moved.scalars)
    #expect(restored >= 0.9)
    #expect(found.sites?.first?.site == .mlp(layer: 1))
    #expect(found.sites?.dropFirst().allSatisfy { $0.score == 0 } == true)
  }

  @Test("what all modules are worth is what the loss falls by")
  func completeness() throws {
    let finetuned = MethodContractTests.finetuned
    var method = Grafting()
    (method.rows, method.points) = (40, 64)
    let found = try evidence(method, finetuned, access: .pool)
    let rows = try #require(found.table("What each module is worth"))
    let worth = rows.compactMap { Float($0[1]) }
    let divergence = RowComparison(answers(finetuned, prompts), answers(base, prompts))
      .forward.mean
    #expect(abs(Double(worth.reduce(0, +)) - divergence) < 0.01 * divergence)
    // Every module's worth is what its own numbers are worth along the way.
    let sum = found.sites?.map { Double($0.score) }.reduce(0, +) ?? 0
    #expect(abs(sum - divergence) < 0.01 * divergence)
  }

  @Test("fewer numbers restore the answers by worth than by size or at random")
  func orders() throws {
    let found = try evidence(Grafting(), MethodContractTests.finetuned, access: .pool)
    let lines = try #require(found.curves("Share of the change of the answers"))
    #expect(lines.count == 3)
    let last = lines[0].count - 1
    #expect(lines[0][last] >= 0.8 && lines[0].dropLast().allSatisfy { $0 < 0.8 })
    #expect(lines[0][last] > lines[1][last] && lines[0][last] > lines[2][last])
    #expect(try #require(found.magnitude) > 0)
  }
}
