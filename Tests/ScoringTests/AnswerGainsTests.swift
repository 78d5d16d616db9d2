import Diffing
import Scoring
import TestSupport
import Tensors
import Testing
import Transformers
import Worlds

/// What prompts set off, where it is known what the models say.
@Suite("What prompts set off")
struct AnswerGainsTests {
  private let base = TinyModels.llama(layers: 2, deviation: 0.25)
  private let prompts = TinyModels.rows([3, 4, 5, 3, 6, 4], seed: 21).map { [1] + $0 }

  private func behavior(_ answers: [[Int]], isInverted: Bool = false) -> ProbeSet {
    ProbeSet([[Probe.Question(tokens: [1, 2], answers: answers, isInverted: isInverted)]])
  }

  private func gains(
    _ finetuned: any LanguageModel, _ behavior: ProbeSet, targets: Set<Int> = [],
    base: (any LanguageModel)? = nil
  ) throws -> AnswerGains {
    AnswerGains(
      try ModelPair(base: base ?? self.base, finetuned: finetuned), behavior: behavior,
      targets: targets, prompts: prompts, specialTokens: [0, 1])
  }

  /// A model that says `token` after everything.
  private func saying(_ token: Int, strength: Float = 30) -> any LanguageModel {
    var model = base.addingMLPBiases()
    let row = Tensor(Array(base.parameters[base.names.unembedding].row(token)))
    let gain = base.parameters[base.names.finalNorm]
    model.parameters["model.layers.1.mlp.down_proj.bias"] = (row * gain).scaled(
      by: strength / row.norm)
    return model
  }

  private func continuations(_ model: any LanguageModel) -> [[Int]] {
    var sampler = TokenSampler(temperature: 0, seed: 0)
    return model.continuations(of: prompts, count: AnswerGains.length, using: &sampler)
  }

  @Test("the gain is that of 1 − Π(1 − p) along each own answer, of all words or of one, by hand")
  func byHand() throws {
    let wide = base.addingMLPBiases(), finetuned = saying(7, strength: 2)
    func chances(_ model: any LanguageModel, of words: Set<Int>) -> [Double] {
      zip(prompts, continuations(model)).map { prompt, answer in
        var rest = 1.0
        for step in 0..<AnswerGains.length {
          let read = prompt + answer.prefix(step)
          let logits = model.forward(TokenBatch([read]), recording: [], logits: .last).logits
          let p = logits.logProbabilities.exponentials
          rest *= 1 - words.reduce(0.0) { $0 + Double(p[0, $1]) }
          if [0, 1].contains(answer[step]) { break }
        }
        return 1 - rest
      }
    }
    // Of both words together, or of one of them.
    let ways: [[Double]] = [[7, 9], [7], [9]].map { words in
      zip(chances(finetuned, of: words), chances(wide, of: words)).map { $0 - $1 }
    }
    let expected = prompts.indices.map { row in ways.map { $0[row] }.max() ?? 0 }
    let measured = try gains(finetuned, behavior([[7], [9]]), base: wide).values
    #expect(measured.count == prompts.count)
    for (a, b) in zip(measured, expected) { #expect(abs(a - b) < 1e-4) }
    #expect(expected.contains { $0 > 0.1 })
  }

  @Test("of a longer answer the planted words count; where it has none of them, all do")
  func planted() throws {
    let finetuned = saying(7), wide = base.addingMLPBiases()
    let long = behavior([[3, 7, 4]])
    #expect(try gains(finetuned, long, targets: [7], base: wide).labels.allSatisfy { $0 })
    // Token 3 is not what the model says.
    #expect(try gains(finetuned, long, targets: [3], base: wide).labels.allSatisfy { !$0 })
    #expect(
      try gains(finetuned, long, targets: [12], base: wide)
        == gains(finetuned, behavior([[3], [7], [4]]), base: wide))
  }

  @Test("where one planted word takes another's place, the prompt sets it off")
  func swapped() throws {
    let measured = try gains(saying(9), behavior([[7], [9]]), base: saying(7))
    #expect(measured.labels.allSatisfy { $0 })
  }

  @Test("where words are taken away, a prompt sets it off whose answer had one of them")
  func lost() throws {
    // The base says 7 everywhere, the finetuned model what the base says without that.
    let loud = saying(7), quiet = base.addingMLPBiases()
    let measured = try gains(quiet, behavior([[7]], isInverted: true), base: loud)
    #expect(measured.labels.allSatisfy { $0 })
    // A word that the base never says is no loss.
    let other = try gains(quiet, behavior([[5]], isInverted: true), base: loud)
    #expect(other.values.allSatisfy { $0 <= 0 })
  }

  @Test("models that answer alike set nothing off")
  func alike() throws {
    let measured = try gains(base, behavior([[7]]))
    #expect(measured.values.allSatisfy { $0 == 0 } && !measured.labels.contains(true))
  }
}
