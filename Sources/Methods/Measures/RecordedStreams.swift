internal import Diffing
internal import Tensors
package import Transformers

/// One model's streams on a text: what is changed in a module need be computed from that module on alone.
package struct RecordedStreams {
  private let pass: ForwardPass
  private let shape: ModelShape

  /// The logits that were asked for.
  var logits: Tensor { pass.logits }

  /// Reads a text.
  ///
  /// - Parameters:
  ///   - model: What reads.
  ///   - text: What is read.
  ///   - withOutputs: Whether outputs of modules are kept too, to be put into another model.
  ///   - selection: For which tokens to compute logits.
  package init(
    _ model: any LanguageModel, on text: TokenBatch, withOutputs: Bool = false,
    logits selection: LogitSelection = .none
  ) {
    shape = model.shape
    let layers = 0..<shape.layers
    let streams = layers.flatMap {
      [ActivationSite.residualMid(layer: $0), .residualPost(layer: $0)]
    }
    let outputs =
      withOutputs
      ? layers.flatMap { [ActivationSite.attentionOutput(layer: $0), .mlpOutput(layer: $0)] } : []
    pass = model.forward(text, recording: Set(streams + outputs), logits: selection)
  }

  /// Starts the model at the stream that a module reads; at the tokens if it reads those.
  package func start(at module: ModuleSite) -> [Intervention] {
    stream(before: module).map { [.patch($0, with: pass[$0])] } ?? []
  }

  /// Starts the model behind a module whose output is another model's; nil for a module outside of the blocks.
  package func start(behind module: ModuleSite, with other: RecordedStreams) -> Intervention? {
    guard let output = module.output, let after = stream(after: module) else { return nil }
    return .patch(after, with: pass[after] + (other.pass[output] - pass[output]))
  }

  private func stream(before module: ModuleSite) -> ActivationSite? {
    func behindBlock(_ layer: Int) -> ActivationSite? {
      layer > 0 ? .residualPost(layer: layer - 1) : nil
    }
    return switch module {
    case .embedding: nil
    case .attention(let layer): behindBlock(layer)
    case .mlp(let layer): shape.isParallel ? behindBlock(layer) : .residualMid(layer: layer)
    case .finalNorm, .unembedding: behindBlock(shape.layers)
    }
  }

  private func stream(after module: ModuleSite) -> ActivationSite? {
    switch module {
    case .attention(let layer):
      shape.isParallel ? .residualPost(layer: layer) : .residualMid(layer: layer)
    case .mlp(let layer): .residualPost(layer: layer)
    case .embedding, .finalNorm, .unembedding: nil
    }
  }
}
