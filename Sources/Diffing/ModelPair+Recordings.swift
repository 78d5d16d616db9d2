internal import Synchronization
public import Tensors
public import Transformers

extension ModelPair {
  /// Something of one model that may have been computed before; then it is charged as if it had not.
  public func recorded<Key: RecordingKey>(_ side: Side, _ key: Key) -> Key.Value {
    recorded(side, key) { key.record(model(side)) }
  }

  private func recorded<Key: RecordingKey>(_ side: Side, _ key: Key, make: () -> Key.Value)
    -> Key.Value
  {
    let result = (side == .base ? baseRecordings : finetunedRecordings).value(key, make: make)
    if seen.insert(side, key), !result.isNew {
      meter.count(shared: key.tokens, seconds: result.seconds)
    }
    return result.value
  }

  /// The singular values and vectors of one model's matrix.
  ///
  /// - Throws: `DecompositionError`.
  public func decomposition(_ side: Side, of name: String) throws -> SingularValueDecomposition {
    let request = DecompositionRequest(name)
    guard keepsDecompositions else { return try request.record(model(side)).get() }
    return try recorded(side, request).get()
  }

  /// Whether decompositions are kept for other methods: those of all matrices are as large as the model.
  private var keepsDecompositions: Bool { !base.parameters.layout.isLarge }

  /// The singular values and vectors of a matrix's change, from its factors if it has any.
  ///
  /// - Throws: `DecompositionError` if the change is beyond 32 bits.
  public func decomposition(of name: String) throws -> SingularValueDecomposition {
    func decompose() throws(DecompositionError) -> SingularValueDecomposition {
      if let factors = factors(of: name) { return try factors.decomposition() }
      return try SingularValueDecomposition(change(of: name))
    }
    guard keepsDecompositions else { return try decompose() }
    return try recorded(.finetuned, ChangeDecomposition(tensor: name)) {
      Result { () throws(DecompositionError) in try decompose() }
    }.get()
  }

  /// What a model says, computed once.
  public func samples(_ side: Side, _ request: SampleRequest) -> [[Int]] { recorded(side, request) }

  /// What a model computes at a site, shaped `[tokens, width of the site]`, computed once.
  public func activations(_ side: Side, at site: ActivationSite, on text: TokenBatch) -> Tensor {
    pass(side, on: text, sites: [site])[site]
  }

  /// The logits after some tokens of a text, shaped `[indices, vocabulary]`.
  ///
  /// They are read anew from the last stream, which is kept: those of a whole text would fill the memory.
  public func logits(_ side: Side, on text: TokenBatch, at indices: [Int]) -> Tensor {
    model(side).logits(ofNormed: activations(side, at: .finalNorm, on: text).rows(at: indices))
  }

  /// A forward pass that records what is asked; more, for methods to come, if the pair records ahead.
  private func pass(
    _ side: Side, on text: TokenBatch, sites: Set<ActivationSite>
  ) -> RecordedPass {
    let ahead = recordsAhead ? Self.sitesAhead(shape.layers) : []
    let isAhead = ahead.isSuperset(of: sites) && recordsAhead
    return recorded(side, PassRequest(text, sites: isAhead ? ahead : sites))
  }

  /// What methods usually ask of a text: every stream, branch output, pattern and value, and what logits are read from.
  private static func sitesAhead(_ layers: Int) -> Set<ActivationSite> {
    Set(
      (0..<layers).flatMap { layer in
        [
          .residualMid(layer: layer), .residualPost(layer: layer),
          .attentionOutput(layer: layer), .mlpOutput(layer: layer),
          .pattern(layer: layer), .value(layer: layer),
        ] as [ActivationSite]
      } + [.embedding, .finalNorm])
  }

  /// The log-probabilities of the next token after some tokens, shaped `[indices, vocabulary]`.
  public func logProbabilities(_ side: Side, on text: TokenBatch, at indices: [Int]) -> Tensor {
    logits(side, on: text, at: indices).logProbabilities
  }

  /// What differs between the two models at a site, finetuned minus base, shaped `[tokens, width]`.
  public func difference(at site: ActivationSite, on text: TokenBatch) -> Tensor {
    activations(.finetuned, at: site, on: text) - activations(.base, at: site, on: text)
  }
}

/// The singular values and vectors of what a tensor changed by; kept with the finetuned model.
private struct ChangeDecomposition: RecordingKey {
  let tensor: String
  var tokens: Int { 0 }

  /// Of one model alone there is no change.
  func record(_ model: any LanguageModel)
    -> Result<SingularValueDecomposition, DecompositionError>
  {
    Result { () throws(DecompositionError) in
      try SingularValueDecomposition(Tensor(shape: model.parameters.layout[tensor].shape))
    }
  }
}

/// What one measurement has asked for, so that nothing is charged to it twice.
final class SeenKeys: Sendable {
  private let keys = Mutex<[ModelPair.Side: Set<AnyHashable>]>([:])

  func reset() { keys.withLock { $0 = [:] } }

  /// Whether a key is asked for the first time.
  func insert(_ side: ModelPair.Side, _ key: some RecordingKey) -> Bool {
    keys.withLock { $0[side, default: []].insert(AnyHashable(key)).inserted }
  }
}
