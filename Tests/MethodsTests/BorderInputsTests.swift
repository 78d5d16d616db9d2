import Diffing
import Methods
import Tensors
import TestSupport
import Testing
import Transformers

@Suite("Border inputs")
struct BorderInputsTests: KnownChangeSuite {
  private func logits(_ model: any LanguageModel, _ prompt: [Int]) -> [Float] {
    model.forward(TokenBatch([prompt]), logits: .last).logits.scalars
  }

  private func first(_ model: any LanguageModel, _ prompt: [Int]) -> Int {
    logits(model, prompt)[...].indexOfLargest
  }

  /// The base with every number of the last MLP's output moved by a little.
  private func moved(by size: Float) -> DecoderModel {
    var model = base, generator = SeededGenerator(seed: 2)
    let name = "model.layers.2.mlp.down_proj.weight", tensor = model.parameters[name]
    model.parameters[name] =
      tensor + generator.direction(tensor.count, norm: size).reshaped(tensor.shape)
    return model
  }

  @Test("what is shown are prompts near a tie in the base after which the first token changed")
  func shown() throws {
    let finetuned = moved(by: 0.3)
    let found = try evidence(BorderInputs(), finetuned, access: .sampling)
    let exhibit = try #require(found.exhibits.first { $0.title.hasPrefix("Prompts whose first") })
    guard case .texts(let texts) = exhibit.content else { return }
    #expect(texts.count > 2)
    for text in texts {
      let prompt = Array(text.tokens.dropLast()), sorted = logits(base, prompt).sorted(by: >)
      #expect(prompt.first == 1 && (2...4).contains(prompt.count))
      #expect(abs(sorted[0] - sorted[1] - text.score) < 1e-5)
      #expect(
        first(finetuned, prompt) == text.tokens.last && first(base, prompt) != text.tokens.last)
    }
  }

  @Test("nearer to a tie more prompts change, and of hardly any change hardly any does")
  func nearest() throws {
    func share(_ kept: Int, _ size: Float) throws -> Double {
      var method = BorderInputs()
      method.kept = kept
      return try evidence(method, moved(by: size), access: .sampling).magnitude ?? 0
    }
    #expect(try share(64, 0.03) > 2 * share(2048, 0.03))
    #expect(try share(64, 0.3) > share(64, 0.03))
    #expect(try share(64, 1e-6) == 0)
  }

  @Test("a token that now wins everywhere is named, and those that it won from are lowered")
  func winner() throws {
    var model = base
    let names = base.names
    // Whatever the stream, the last norm's output has a large part along the row of token 7.
    let (wide, biased) = KnownChange.biased(KnownChange.direction(of: 7, norm: 60), layer: 2)
    model = wide as? DecoderModel ?? model
    #expect(names.unembedding == model.names.unembedding)
    let found = try KnownChange.evidence(BorderInputs(), biased, base: model, access: .sampling)
    let claims = try #require(found.tokens)
    #expect(claims.filter { $0.sign == 1 }.map(\.token) == [7])
    #expect(claims.contains { $0.sign == -1 })
    #expect((found.magnitude ?? 0) > 0.8)
  }
}
