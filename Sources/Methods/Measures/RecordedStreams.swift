internal import Diffing
internal import Tensors
package import Transformers

/// One model's streams on a text: what is changed in a module need be computed from that module on alone.
package struct RecordedStreams {
  private let model: any LanguageModel
  private let text: TokenBatch
  private let pass: ForwardPass
  private var shape: ModelShape { model.shape }

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
    self.model = model
    self.text = text
    let layers = 0..<model.shape.layers
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
    shape.stream(before: module).map { [.patch($0, with: pass[$0])] } ?? []
  }

  /// Starts the model behind a module whose output is another model's; nil for a module outside of the blocks.
  package func start(behind module: ModuleSite, with other: RecordedStreams) -> Intervention? {
    guard let output = module.output, let after = stream(after: module) else { return nil }
    return .patch(after, with: pass[after] + (other.pass[output] - pass[output]))
  }

  /// A figure of the answers that the model would give with other weights in a module, for each of several modules.
  ///
  /// Inside of the blocks only the module itself is computed with them; what follows is the model's own.
  ///
  /// - Parameters:
  ///   - changed: Modules, and models that differ from this one in them alone.
  ///   - indices: The tokens after which answers are read.
  ///   - figure: A figure of the log-probabilities, shaped `[indices, vocabulary]`.
  func figures(
    _ changed: [(module: ModuleSite, model: any LanguageModel)], at indices: [Int],
    _ figure: (Tensor) -> Float
  ) -> [Float] {
    let starts = changed.map { entry in
      stream(after: entry.module).map { after in
        let pass = entry.model.forward(
          text, recording: [after], editing: start(at: entry.module), logits: .none)
        return Intervention.patch(after, with: pass[after])
      }
    }
    var inside = figures(startingAt: starts.compactMap { $0 }, at: indices, figure)[...]
    return zip(changed, starts).map { entry, start in
      if start != nil, let figure = inside.popFirst() { return figure }
      return figure(
        entry.model.forward(
          text, recording: [], editing: self.start(at: entry.module), logits: .at(indices)
        ).logits.logProbabilities)
    }
  }

  /// The same for streams that the model is started at.
  func figures<Figure>(
    startingAt starts: [Intervention], at indices: [Int], _ figure: (Tensor) -> Figure
  ) -> [Figure] {
    model.figures(of: text, fromEach: starts, at: indices, figure)
  }

  /// Starts the model behind a block with a vector added to the stream of some tokens.
  func start(behind layer: Int, adding vector: Tensor, at tokens: [Int]) -> Intervention {
    let site = ActivationSite.residualPost(layer: layer)
    var stream = pass[site]
    for token in tokens {
      for column in 0..<vector.count { stream[token, column] += vector[column] }
    }
    return .patch(site, with: stream)
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

extension ModelShape {
  /// The stream that a module reads, as far as a model can be started there; nil of one that reads tokens.
  func stream(before module: ModuleSite) -> ActivationSite? {
    func behindBlock(_ layer: Int) -> ActivationSite? {
      layer > 0 ? .residualPost(layer: layer - 1) : nil
    }
    return switch module {
    case .embedding: nil
    case .attention(let layer): behindBlock(layer)
    case .mlp(let layer): isParallel ? behindBlock(layer) : .residualMid(layer: layer)
    case .finalNorm, .unembedding: behindBlock(layers)
    }
  }
}
