import Diffing
import Methods
import Tensors
import TestSupport
import Testing
import Transformers

@Suite("Prompt search")
struct PromptSearchTests: KnownChangeSuite {
  private static let title = "Prompts by divergence"

  /// A model with every matrix moved far.
  private func moved(_ model: DecoderModel) -> DecoderModel {
    var model = model
    var generator = SeededGenerator(seed: 4)
    for entry in model.parameters.layout.entries where entry.name != model.names.embedding {
      let tensor = model.parameters[entry.name]
      let direction = generator.direction(tensor.count, norm: 0.7 * tensor.norm)
      model.parameters[entry.name] = tensor + direction.reshaped(tensor.shape)
    }
    return model
  }

  private func found(_ method: PromptSearch, _ base: DecoderModel, _ finetuned: DecoderModel) throws
    -> [Exhibit.ScoredText]
  {
    let evidence = try KnownChange.evidence(method, finetuned, base: base, access: .sampling)
    let exhibit = try #require(evidence.exhibits.first { $0.title.hasPrefix(Self.title) })
    guard case .texts(let texts) = exhibit.content else { return [] }
    #expect(abs(texts.map { Double($0.score) }.mean - (evidence.magnitude ?? 0)) < 1e-6)
    return texts
  }

  private func divergence(_ prompt: [Int], _ base: DecoderModel, _ finetuned: DecoderModel)
    -> Double
  {
    func answer(_ model: DecoderModel) -> Tensor {
      model.forward(TokenBatch([prompt]), logits: .last).logits.logProbabilities
    }
    return RowComparison(answer(base), answer(finetuned)).jensenShannon[0]
  }

  @Test("one step is the best of all exchanges of a token, where gradients are exact")
  func exhaustive() throws {
    let base = TinyModels.flattened(self.base, spread: 0.02), finetuned = moved(base)
    var method = PromptSearch()
    (method.promptCount, method.length, method.tried) = (3, 0, 1)
    (method.steps, method.choices) = (0, base.shape.vocabulary)
    let starts = try found(method, base, finetuned)
    method.steps = 1
    let ends = try found(method, base, finetuned)
    let special = MethodContractTests.prompts(.sampling).specialTokens
    for start in starts {
      let exchanged = start.tokens.indices.dropFirst().flatMap { place in
        (0..<base.shape.vocabulary).map { token in
          var prompt = start.tokens
          if !special.contains(prompt[place]) && !special.contains(token) { prompt[place] = token }
          return prompt
        }
      }
      let best = try #require(
        exchanged.max { divergence($0, base, finetuned) < divergence($1, base, finetuned) })
      #expect(ends.contains { $0.tokens == best }, "\(start.tokens) to \(best)")
    }
  }

  @Test("a search never falls, and what is said of a prompt is what the models answer")
  func climbs() throws {
    let finetuned = moved(base)
    var method = PromptSearch()
    (method.promptCount, method.length, method.steps, method.tried) = (6, 0, 0, 200)
    let starts = try found(method, base, finetuned)
    method.steps = 6
    let ends = try found(method, base, finetuned)
    #expect(zip(starts, ends).allSatisfy { $0.score <= $1.score + 1e-7 })
    #expect(ends.map(\.score).mean > 1.02 * starts.map(\.score).mean)
    for end in ends {
      #expect(abs(Double(end.score) - divergence(end.tokens, base, finetuned)) < 1e-6)
    }
    // Only tokens that the base thinks likely are put in.
    (method.promptCount, method.choices, method.steps) = (1, 1, 0)
    let start = try found(method, base, finetuned)[0].tokens
    method.steps = 1
    let end = try found(method, base, finetuned)[0].tokens
    let logits = base.forward(TokenBatch([start]), logits: .all).logits
    let exchanged = start.indices.filter { start[$0] != end[$0] }
    #expect(exchanged.count == 1)
    for place in exchanged {
      #expect(logits.row(place - 1).max() == logits[place - 1, end[place]])
    }
  }

  @Test("all prompts of two words hold none that is answered further apart than those found")
  func allPrompts() throws {
    let finetuned = moved(base)
    var method = PromptSearch()
    (method.exhaustive, method.promptCount, method.length) = (2, 100, 0)
    let best = try found(method, base, finetuned)
    let words = 2..<base.shape.vocabulary
    let prompts = words.map { [1, $0] } + words.flatMap { a in words.map { [1, a, $0] } }
    let divergences = prompts.map { divergence($0, base, finetuned) }
    let order = divergences.indices.sorted { divergences[$0] > divergences[$1] }
    #expect(best.contains { $0.tokens.count == 2 } && best.contains { $0.tokens.count == 3 })
    #expect(Set(best.map(\.tokens)) == Set(order.prefix(100).map { prompts[$0] }))
    expectClose(
      best.map(\.score), order.prefix(100).map { Float(divergences[$0]) }, tolerance: 1e-6)
  }
}
