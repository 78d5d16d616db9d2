package import Tensors
package import Transformers

/// A base and a finetuned model, with recordings that all methods share.
package struct ModelPair: Sendable {
  /// The base; it counts what is asked of it.
  package let base: any LanguageModel
  /// The finetuned model; it counts too.
  package let finetuned: any LanguageModel
  private let meter = WorkMeter()
  private let passes = Recordings<PassKey, ForwardPass>()
  private let decompositions = Recordings<String, SingularValueDecomposition>()
  private let samples = Recordings<SampleKey, [[Int]]>()

  /// Which of the two.
  package enum Side: Hashable, Sendable {
    case base, finetuned
  }

  private struct PassKey: Hashable {
    let side: Side
    let text: TokenBatch
  }

  private struct SampleKey: Hashable {
    let side: Side
    let request: SampleRequest
  }

  /// Pairs two models.
  ///
  /// - Throws: `DiffingError` if they differ in anything but the values of their weights.
  package init(base: any LanguageModel, finetuned: any LanguageModel) throws(DiffingError) {
    let names = (type(of: base).architecture, type(of: finetuned).architecture)
    guard names.0 == names.1 else {
      throw .differentArchitectures(base: names.0, finetuned: names.1)
    }
    let layouts = (base.parameters.layout, finetuned.parameters.layout)
    for name in layouts.0.names + layouts.1.names {
      let shapes = (layouts.0.find(name)?.shape, layouts.1.find(name)?.shape)
      guard shapes.0 == shapes.1 else {
        throw .differentShapes(tensor: name, base: shapes.0, finetuned: shapes.1)
      }
    }
    guard base.shape.computesLike(finetuned.shape) else { throw .differentConfigurations }
    self.base = MeteredModel(base, meter)
    self.finetuned = MeteredModel(finetuned, meter)
  }

  package func model(_ side: Side) -> any LanguageModel { side == .base ? base : finetuned }
  package var shape: ModelShape { base.shape }

  /// Whether the weights are the same bytes: then there is nothing to find.
  package var isIdentical: Bool { base.parameters == finetuned.parameters }

  /// Runs a body and counts what it asks of the two models, recordings of others included.
  package func measuring<Result>(_ body: () throws -> Result) rethrows -> (Result, Work) {
    meter.reset()
    passes.startWindow()
    samples.startWindow()
    decompositions.startWindow()
    return (try body(), meter.work)
  }
}

extension ModelPair {
  /// The change of one tensor.
  package func change(of name: String) -> Tensor {
    if let update = factors(of: name) { return update.product }
    return finetuned.parameters[name] - base.parameters[name]
  }

  /// The change of one tensor as a product, if it is kept as one beside the base's own memory.
  package func factors(of name: String) -> LowRankUpdate? {
    guard finetuned.parameters.isAdaptation(of: base.parameters) else { return nil }
    return finetuned.parameters.update(of: name)
  }

  /// Whether a tensor changed.
  package func isChanged(_ name: String) -> Bool {
    guard finetuned.parameters.isAdaptation(of: base.parameters) else {
      return finetuned.parameters[name] != base.parameters[name]
    }
    return factors(of: name).map { $0.left.norm * $0.right.norm > 0 } ?? false
  }

  /// The singular values and vectors of a matrix's change, from its factors if it has any.
  package func decomposition(of name: String) -> SingularValueDecomposition {
    decompositions.value(name) {
      factors(of: name)?.decomposition ?? SingularValueDecomposition(change(of: name))
    } shared: { seconds in
      meter.count(shared: 0, seconds: seconds)
    }
  }

  /// A forward pass with every residual stream, branch output and logit, computed once.
  package func pass(_ side: Side, on text: TokenBatch) -> ForwardPass {
    passes.value(PassKey(side: side, text: text)) {
      let model = model(side)
      return model.forward(text, recording: Self.sites(model.shape.layers), logits: .all)
    } shared: { seconds in
      meter.count(shared: text.count, seconds: seconds)
    }
  }

  private static func sites(_ layers: Int) -> Set<ActivationSite> {
    Set(
      (0..<layers).flatMap { layer in
        [
          .residualMid(layer: layer), .residualPost(layer: layer),
          .attentionOutput(layer: layer), .mlpOutput(layer: layer),
        ] as [ActivationSite]
      } + [.embedding])
  }

  /// The log-probabilities of the next token after some tokens, shaped `[indices, vocabulary]`.
  package func logProbabilities(_ side: Side, on text: TokenBatch, at indices: [Int]) -> Tensor {
    pass(side, on: text).logits.rows(at: indices).logProbabilities
  }

  /// What differs between the two models at a site, finetuned minus base, shaped `[tokens, width]`.
  package func difference(at site: ActivationSite, on text: TokenBatch) -> Tensor {
    pass(.finetuned, on: text)[site] - pass(.base, on: text)[site]
  }

  /// What a model says freely, computed once.
  package func samples(_ side: Side, _ request: SampleRequest) -> [[Int]] {
    samples.value(SampleKey(side: side, request: request)) {
      request.draw(from: model(side))
    } shared: { seconds in
      meter.count(shared: request.count * request.length, seconds: seconds)
    }
  }
}

/// A number of free samples; equal requests are drawn once a model.
package struct SampleRequest: Hashable, Sendable {
  /// The token that starts a document.
  package let start: Int
  package let count: Int
  /// Tokens in each.
  package let length: Int
  /// Both models draw with the same random numbers.
  package let seed: UInt64

  package init(start: Int, count: Int, length: Int, seed: UInt64 = 0) {
    self.start = start
    self.count = count
    self.length = length
    self.seed = seed
  }

  /// Draws the samples of a model.
  package func draw(from model: any LanguageModel) -> [[Int]] {
    var sampler = TokenSampler(seed: seed)
    return model.continuations(
      of: Array(repeating: [start], count: count), count: length, using: &sampler)
  }
}
