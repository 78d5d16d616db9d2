import Diffing
import TestSupport
import Tensors
import Testing
import Transformers

@testable import Methods

@Suite("Passes that start where something is exchanged")
struct RecordedStreamsTests {
  static let models = [
    TinyModels.llama(layers: 3), TinyModels.varied { $0.isParallel = true },
    TinyModels.varied { $0.norms.areAfter = true },
  ]

  private let batch = TokenBatch(TinyModels.rows([5, 1, 4]))

  /// Another model of the same parts.
  private func other(than model: DecoderModel) -> DecoderModel {
    var generator = SeededGenerator(seed: 9)
    var other = model
    for name in model.parameters.layout.names {
      let tensor = model.parameters[name]
      let noise = generator.direction(tensor.count).reshaped(tensor.shape)
      other.parameters[name] = tensor + noise
    }
    return other
  }

  @Test(
    "a module's other weights, from its stream on, are those weights in the whole pass",
    arguments: models)
  func weights(model: DecoderModel) {
    let other = other(than: model), streams = RecordedStreams(model, on: batch)
    let indices = [2, 4, 9]
    var changed: [(module: ModuleSite, model: any LanguageModel)] = []
    for module in ModuleSite.all(layers: model.shape.layers) {
      var mixed = model
      for name in model.parameters.layout.names where model.names.module(of: name) == module {
        mixed.parameters[name] = other.parameters[name]
      }
      changed.append((module, mixed))
      let whole = mixed.forward(batch).logits
      let late = mixed.forward(
        batch, recording: [], editing: streams.start(at: module), logits: .all)
      expectClose(late.logits, whole, tolerance: 1e-5, "\(module)")
      let isEarly = module.layer.map { $0 > 0 } ?? (module != .embedding)
      #expect(streams.start(at: module).isEmpty != isEarly || module.layer == 0)
    }
    // Any figure that tells all answers apart.
    func figure(_ answers: Tensor) -> Float {
      zip(answers.scalars, 1...).reduce(0) { $0 + $1.0 * Float($1.1 % 7) }
    }
    expectClose(
      streams.figures(changed, at: indices, figure),
      changed.map {
        figure($0.model.forward(batch, logits: .at(indices)).logits.logProbabilities)
      }, tolerance: 1e-5)
  }

  @Test(
    "a module's other output, from behind it on, is that output in the whole pass",
    arguments: models)
  func outputs(model: DecoderModel) throws {
    let other = other(than: model)
    let own = RecordedStreams(model, on: batch, withOutputs: true)
    let others = RecordedStreams(other, on: batch, withOutputs: true)
    for layer in 0..<model.shape.layers {
      for module in [ModuleSite.attention(layer: layer), .mlp(layer: layer)] {
        let site = try #require(module.output)
        let whole = model.forward(
          batch, recording: [],
          editing: [.patch(site, with: other.forward(batch, recording: [site])[site])],
          logits: .all)
        let edit = try #require(own.start(behind: module, with: others))
        let late = model.forward(batch, recording: [], editing: [edit], logits: .all)
        expectClose(late.logits, whole.logits, tolerance: 1e-5, "\(module)")
      }
    }
    #expect(own.start(behind: .finalNorm, with: others) == nil)
  }

  @Test("answers that are read a few passes at a time are those of each pass alone")
  func manyLogits() {
    let vocabulary = 180_000, model = TinyModels.llama(layers: 3, vocabulary: vocabulary)
    let batch = TokenBatch(TinyModels.rows([9, 8, 7], vocabulary: vocabulary))
    let streams = RecordedStreams(model, on: batch)
    let sites = (0..<3).flatMap {
      [ActivationSite.residualMid(layer: $0), .residualPost(layer: $0)]
    }
    let pass = model.forward(batch, recording: Set(sites))
    let starts = sites.map { Intervention.patch($0, with: pass[$0].scaled(by: 1.5)) }
    let indices = Array(0..<batch.count)
    func figure(_ answers: Tensor) -> Float { answers[0, 3] + 2 * answers[23, 5] }
    expectClose(
      streams.figures(startingAt: starts, at: indices, figure),
      starts.flatMap { streams.figures(startingAt: [$0], at: indices, figure) }, tolerance: 1e-5)
  }

  @Test("where every module is exchanged, no more rows are read than may be")
  func limits() throws {
    let base = Self.models[0], rows = TinyModels.rows(Array(repeating: 6, count: 8))
    let pair = try ModelPair(base: base, finetuned: other(than: base))
    func tokens(_ limit: Int) throws -> Int {
      let prompts = PromptSet(
        access: .unrelated, text: TokenBatch(rows), reference: TokenBatch([]), documentStart: nil,
        specialTokens: [], limits: ReadingLimits(answers: .max, exchanged: limit))
      var generator = SeededGenerator(seed: 1)
      let (evidence, work) = try pair.measuring {
        try TaskArithmetic().evidence(for: pair, on: prompts, using: &generator)
      }
      #expect(evidence.sites?.isEmpty == false)
      return work.tokensForward
    }
    let (all, two, one) = (try tokens(.max), try tokens(13), try tokens(1))
    #expect(all == 8 * one && two == 2 * one)
  }
}
