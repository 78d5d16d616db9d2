import Bench
import Foundation
import TestSupport
import Tensors
import Testing
import Transformers

@Suite("What is well with models")
struct DoctorTests {
  private let base = TinyModels.llama(vocabulary: 19)

  private func checkpoint(_ model: any LanguageModel, type: String = "F32") -> Checkpoint {
    Checkpoint(
      model: model, tokenizer: nil, markers: TokenMarkers(documentStart: nil, specialTokens: []),
      types: Dictionary(uniqueKeysWithValues: model.parameters.layout.names.map { ($0, type) }),
      notices: [])
  }

  private func wide(seed: UInt64) -> DecoderModel {
    let parts = TinyModels.varied { ($0.width, $0.mlpWidth) = (24, 60) }.parts
    return DecoderModel(parts, seed: seed, deviation: 0.3)
  }

  @Test("a finetune descends from its base, a stranger does not, a disguise is told")
  func descent() throws {
    let base = wide(seed: 1)
    var generator = SeededGenerator(seed: 3)
    var near = base
    for name in base.parameters.layout.names {
      let size = base.parameters[name].norm * 0.3
      near.parameters[name] =
        base.parameters[name]
        + generator.direction(base.parameters[name].count).reshaped(base.parameters[name].shape)
        .scaled(by: size)
    }
    #expect(try #require(Descent(base, near)).p <= 0.01)
    let strangers = (2..<12).map { Descent(base, wide(seed: $0)) }
    #expect(strangers.count { ($0?.p ?? 0) <= 0.01 } <= 1)
    #expect(strangers.allSatisfy { ($0?.moved ?? 1) < 0.2 })
    let disguised = base.reparameterised(using: &generator)
    let found = try #require(Descent(base, disguised))
    #expect(found.p > 0.01 && found.moved > 0.8, "\(found)")
  }

  @Test("what rounding alone changed is no change")
  func residue() throws {
    var rounded = base
    for name in base.parameters.layout.names {
      rounded.parameters[name] = base.parameters[name].map(\.roundedToBrain)
    }
    let trained = base.names.blocks[1][1].name
    rounded.parameters[trained] = rounded.parameters[trained].map { $0 * 1.5 }
    let (matched, residue) = RoundingResidue.removed(
      checkpoint(base), checkpoint(rounded, type: "BF16"))
    let found = try #require(residue)
    let differing = base.parameters.layout.names.filter {
      matched.model.parameters[$0] != rounded.parameters[$0]
    }
    #expect(differing == [trained])
    // Half a step of 2⁻⁷ at the most, a third of that on average.
    #expect(found.size > 5e-4 && found.size < 4e-3, "\(found)")
    // What the base keeps in fewer bits says nothing of the finetuned model.
    let other = RoundingResidue.removed(checkpoint(rounded, type: "BF16"), checkpoint(base))
    #expect(other.1 == nil && other.0.model.parameters == rounded.parameters)
  }

  @Test("a model that does not speak fails its self-test")
  func selfTest() throws {
    let tokenizer = try HuggingFaceFolder.readTokenizer(Fixtures.url("tokenizers/gpt2"))
    let model = TinyModels.llama(vocabulary: tokenizer.count)
    #expect(SelfTest(model, nil) == nil)
    let test = try #require(SelfTest(model, tokenizer))
    #expect(!test.passes && test.cost > test.limit)
    // With its head's scores at nothing it knows nothing, and pays twice the limit.
    var mute = model
    mute.parameters[model.names.unembedding] = Tensor(
      shape: model.parameters[model.names.unembedding].shape)
    #expect(abs(try #require(SelfTest(mute, tokenizer)).cost / (2 * test.limit) - 1) < 1e-4)
  }

  @Test("findings of a pair: what differs is named")
  func pair() {
    let smaller = TinyModels.llama(vocabulary: 17)
    let findings = Doctor.findings(checkpoint(base), checkpoint(smaller))
    #expect(findings.contains { $0.topic == "vocabularies" && $0.level == .note })
    let other = TinyModels.varied { $0.attention.reach.window = 3 }
    #expect(
      Doctor.findings(checkpoint(base), checkpoint(other)).contains {
        $0.topic == "settings" && $0.level == .fault && $0.text.contains("attention")
      })
    #expect(
      Doctor.findings(checkpoint(base), checkpoint(base)).allSatisfy { $0.level == .ok })
    // What 'diff' refuses is a fault, whatever it is.
    func learned(_ context: Int) -> DecoderModel {
      TinyModels.varied { ($0.hasLearnedPositions, $0.context) = (true, context) }
    }
    #expect(
      Doctor.findings(checkpoint(learned(20)), checkpoint(learned(12))).contains {
        $0.topic == "settings" && $0.level == .fault
      })
  }
}
