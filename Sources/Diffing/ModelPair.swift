internal import Synchronization
package import Tensors
package import Transformers

/// A base and a finetuned model, with recordings that all methods share.
package struct ModelPair: Sendable {
  /// The base; it counts what is asked of it.
  package let base: any LanguageModel
  /// The finetuned model; it counts too.
  package let finetuned: any LanguageModel
  private let meter = WorkMeter()
  private let recordings: [Side: Recordings]
  private let seen = SeenKeys()
  private let showsExhibits: Bool

  /// Which of the two.
  package enum Side: Hashable, Sendable {
    case base, finetuned
  }

  /// Pairs two models.
  ///
  /// - Parameters:
  ///   - base: The base.
  ///   - finetuned: What was made of it.
  ///   - baseRecordings: What was computed of this base for other pairs, to be gone on with.
  ///   - showsExhibits: Whether methods make exhibits; the bench, which shows none, saves the time.
  /// - Throws: `DiffingError` if they differ in anything but the values of their weights, or if these are too
  ///   large to compute with.
  package init(
    base: any LanguageModel, finetuned: any LanguageModel,
    baseRecordings: Recordings = Recordings(), showsExhibits: Bool = true
  ) throws(DiffingError) {
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
    for (model, name) in [(base, "The base"), (finetuned, "The finetuned model")] {
      let logits = model.forward(TokenBatch([[0]]), logits: .last).logits
      guard logits.scalars.allSatisfy(\.isFinite) else { throw .notFinite(method: name) }
    }
    self.showsExhibits = showsExhibits
    recordings = [.base: baseRecordings, .finetuned: Recordings()]
    self.base = MeteredModel(base, meter)
    self.finetuned = MeteredModel(finetuned, meter)
  }

  package func model(_ side: Side) -> any LanguageModel { side == .base ? base : finetuned }
  package var shape: ModelShape { base.shape }

  /// Whether the weights are the same bytes: then there is nothing to find.
  package var isIdentical: Bool {
    // Of a LoRA finetune only the factors are looked at: its weights are never formed as a whole.
    finetuned.parameters.isAdaptation(of: base.parameters)
      ? !base.parameters.layout.names.contains(where: isChanged)
      : base.parameters == finetuned.parameters
  }

  /// What people are shown, if anybody is.
  func exhibits(_ make: @autoclosure () -> [Exhibit]) -> [Exhibit] { showsExhibits ? make() : [] }

  /// Runs a body and counts what it asks of the two models, recordings of others included.
  package func measuring<Result>(_ body: () throws -> Result) rethrows -> (Result, Work) {
    meter.reset()
    seen.reset()
    return (try body(), meter.work)
  }
}

extension ModelPair {
  /// Something of one model that may have been computed before; then it is charged as if it had not.
  private func recorded(
    _ side: Side, _ key: Recordings.Key, tokens: Int = 0, make: () -> Recordings.Value
  ) -> Recordings.Value? {
    guard let result = recordings[side]?.value(key, make: make) else { return nil }
    if seen.insert(side, key), !result.isNew {
      meter.count(shared: tokens, seconds: result.seconds)
    }
    return result.value
  }

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
    let value = recorded(.finetuned, .decomposition("change of \(name)")) {
      .decomposition(
        factors(of: name)?.decomposition ?? SingularValueDecomposition(change(of: name)))
    }
    guard case .decomposition(let decomposition)? = value else { preconditionFailure(Self.mixedUp) }
    return decomposition
  }

  /// The singular values and vectors of one model's matrix.
  package func decomposition(_ side: Side, of name: String) -> SingularValueDecomposition {
    let value = recorded(side, .decomposition(name)) {
      .decomposition(SingularValueDecomposition(model(side).parameters[name]))
    }
    guard case .decomposition(let decomposition)? = value else { preconditionFailure(Self.mixedUp) }
    return decomposition
  }

  /// A forward pass with every residual stream, branch output, pattern and logit, computed once.
  package func pass(_ side: Side, on text: TokenBatch) -> ForwardPass {
    let value = recorded(side, .pass(text), tokens: text.count) {
      let model = model(side)
      return .pass(model.forward(text, recording: Self.sites(model.shape.layers), logits: .all))
    }
    guard case .pass(let pass)? = value else { preconditionFailure(Self.mixedUp) }
    return pass
  }

  /// What a model says, computed once.
  package func samples(_ side: Side, _ request: SampleRequest) -> [[Int]] {
    let value = recorded(side, .samples(request), tokens: request.tokens) {
      .samples(request.draw(from: model(side)))
    }
    guard case .samples(let samples)? = value else { preconditionFailure(Self.mixedUp) }
    return samples
  }

  private static let mixedUp = "A recording is not of the kind that its key says"

  private static func sites(_ layers: Int) -> Set<ActivationSite> {
    Set(
      (0..<layers).flatMap { layer in
        [
          .residualMid(layer: layer), .residualPost(layer: layer),
          .attentionOutput(layer: layer), .mlpOutput(layer: layer),
          .pattern(layer: layer), .value(layer: layer),
        ] as [ActivationSite]
      } + [.embedding])
  }

  /// The log-probabilities of the next token after some tokens, shaped `[indices, vocabulary]`.
  package func logProbabilities(_ side: Side, on text: TokenBatch, at indices: [Int]) -> Tensor {
    pass(side, on: text).logits.rows(at: indices).logProbabilities
  }

  /// KL(finetuned ‖ base) after each row of a text, in nats.
  func answerDivergences(on text: TokenBatch) -> [Double] {
    let last = text.lastIndices
    return rowDivergences(
      logProbabilities(.finetuned, on: text, at: last), logProbabilities(.base, on: text, at: last))
  }

  /// What differs between the two models at a site, finetuned minus base, shaped `[tokens, width]`.
  package func difference(at site: ActivationSite, on text: TokenBatch) -> Tensor {
    pass(.finetuned, on: text)[site] - pass(.base, on: text)[site]
  }

  /// The rows of a recording that belong to some rows of its text.
  func recording(_ side: Side, _ site: ActivationSite, of text: TokenBatch, rows: [Int]) -> Tensor {
    pass(side, on: text)[site].rows(at: rows.flatMap { Array(text.range($0)) })
  }
}

/// What one measurement has asked for, so that nothing is charged to it twice.
private final class SeenKeys: Sendable {
  private let keys = Mutex<[ModelPair.Side: Set<Recordings.Key>]>([:])

  func reset() { keys.withLock { $0 = [:] } }

  /// Whether a key is asked for the first time.
  func insert(_ side: ModelPair.Side, _ key: Recordings.Key) -> Bool {
    keys.withLock { $0[side, default: []].insert(key).inserted }
  }
}
