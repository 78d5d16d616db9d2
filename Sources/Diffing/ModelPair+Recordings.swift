internal import Synchronization
public import Tensors
public import Transformers

extension ModelPair {
  /// Something of one model that may have been computed before; then it is charged as if it had not.
  public func recorded<Key: RecordingKey>(_ side: Side, _ key: Key) -> Key.Value {
    recorded(side, key) { key.record(model(side)) }
  }

  /// The same, computed of what is at hand.
  ///
  /// - Parameters:
  ///   - side: Whose it is.
  ///   - key: What it is kept under.
  ///   - make: Computes what `key.record` would. It must not ask for anything recorded.
  public func recorded<Key: RecordingKey>(_ side: Side, _ key: Key, make: () -> Key.Value)
    -> Key.Value
  {
    let result = (side == .base ? baseRecordings : finetunedRecordings).value(key, make: make)
    if seen.insert(side, key), !result.isNew {
      meter.count(shared: key.tokens, seconds: result.seconds)
    }
    return result.value
  }

  /// The singular values of one model's matrix, and all vectors of its shorter side.
  ///
  /// - Throws: `DecompositionError`.
  public func basis(_ side: Side, of name: String) throws -> SingularBasis {
    let request = BasisRequest(name)
    // Those of all matrices of a large model are as large as the model, and one method asks for them.
    guard !base.parameters.layout.isLarge else { return try request.record(model(side)).get() }
    return try recorded(side, request).get()
  }

  /// The singular values and first vectors of one model's matrix.
  ///
  /// - Parameters:
  ///   - side: Whose matrix.
  ///   - name: Its name.
  ///   - count: How many vectors are read.
  /// - Throws: `DecompositionError`.
  public func spectrum(_ side: Side, of name: String, keeping count: Int) throws
    -> SingularSpectrum
  {
    try recorded(side, SpectrumRequest(name, keeping: count)).get()
  }

  /// The singular values and first vectors of what a tensor changed by, from its factors if it has any; a vector
  /// is a column.
  ///
  /// - Parameters:
  ///   - name: The tensor's name.
  ///   - count: How many vectors are read; some are always kept for other methods.
  /// - Throws: `DecompositionError` if the change is beyond 32 bits.
  public func spectrum(ofChange name: String, keeping count: Int) throws -> SingularSpectrum {
    let key = ChangeSpectrumRequest(tensor: name, kept: max(count, Self.leastKept))
    return try recorded(.finetuned, key) {
      Result { () throws(DecompositionError) in try changeSpectrum(name, keeping: key.kept) }
    }.get()
  }

  /// As many vectors of a change are kept, so that methods that read fewer share one decomposition.
  private static var leastKept: Int { 10 }

  private func changeSpectrum(_ name: String, keeping count: Int) throws(DecompositionError)
    -> SingularSpectrum
  {
    if let factors = factors(of: name) {
      return SingularSpectrum(try factors.decomposition(), keeping: count)
    }
    let entry = base.parameters.layout[name]
    guard entry.shape.count > 1 else {
      return try SingularSpectrum(
        Matrix(change(of: name)).reshaped(rows: entry.count, columns: 1), keeping: count)
    }
    return try SingularSpectrum(columns: entry.columns, rows: rowGroups(of: name), keeping: count) {
      Matrix(change(of: name, rows: $0))
    }
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

/// The singular values and first vectors of what a tensor changed by; kept with the finetuned model.
private struct ChangeSpectrumRequest: RecordingKey {
  let tensor: String
  let kept: Int
  var tokens: Int { 0 }

  /// Of one model alone there is no change.
  func record(_ model: any LanguageModel) -> Result<SingularSpectrum, DecompositionError> {
    Result { () throws(DecompositionError) in
      let zero = Tensor(shape: model.parameters.layout[tensor].matrixShape)
      return try SingularSpectrum(Matrix(zero), keeping: kept)
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
