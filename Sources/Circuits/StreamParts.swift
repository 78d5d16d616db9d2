internal import Tensors
internal import Transformers

/// What each writer of a model adds to the stream of a text.
struct StreamParts {
  /// What was recorded, and the logits after each row's last token.
  let pass: ForwardPass
  /// By writer, shaped `[tokens, width]`; of heads without the bias that they share.
  let outputs: [Tensor]

  /// Reads a text.
  ///
  /// - Parameter withStreams: Whether the streams that readers read are recorded too.
  init(
    _ model: any LanguageModel, _ graph: CircuitGraph, on text: TokenBatch, _ maps: [OutputMap],
    withStreams: Bool
  ) {
    let shape = model.shape
    let written = (0..<shape.layers).flatMap { layer -> [ActivationSite] in
      [Self.attentionSite(shape, layer), .mlpOutput(layer: layer)]
    }
    let streams = (0..<shape.layers).flatMap { layer -> [ActivationSite] in
      [.residualMid(layer: layer), .residualPost(layer: layer)]
    }
    let pass = model.forward(
      text, recording: Set([.embedding] + written + (withStreams ? streams : [])), editing: [],
      logits: .last)
    self.pass = pass
    outputs = graph.writers.map { writer in
      switch writer {
      case .embedding: pass[.embedding]
      case .mlp(let layer): pass[.mlpOutput(layer: layer)]
      case .attention(let layer): pass[.attentionOutput(layer: layer)]
      case .head(let layer, let index):
        maps[layer].output(of: index, in: pass[.headOutput(layer: layer)])
      }
    }
  }

  /// Where the writers of an attention are recorded.
  static func attentionSite(_ shape: ModelShape, _ layer: Int) -> ActivationSite {
    shape.norms.areAfter ? .attentionOutput(layer: layer) : .headOutput(layer: layer)
  }
}

/// How the heads of a block write to the stream: each has columns of the output projection.
struct OutputMap {
  /// Shaped `[width, heads · headWidth]`.
  private let weight: Matrix
  private let headWidth: Int

  /// Those of all blocks; none where a norm stands between the heads and the stream.
  static func all(of model: any LanguageModel) -> [OutputMap] {
    guard !model.shape.norms.areAfter else { return [] }
    return model.names.blocks.map { block in
      let name = block.first { $0.role == .attentionOutput && !$0.isBias }?.name
      return OutputMap(
        weight: Matrix(name.map { model.parameters[$0] } ?? Tensor(shape: [0, 0])),
        headWidth: model.shape.headWidth)
    }
  }

  /// What a head adds to the stream, shaped `[tokens, width]`.
  ///
  /// - Parameter found: What the heads found, shaped `[tokens, heads · headWidth]`.
  func output(of head: Int, in found: Tensor) -> Tensor {
    let columns = head * headWidth..<(head + 1) * headWidth
    return Tensor(rows: found.rows, columns: weight.rows) {
      multiply(
        Matrix(found).columns(columns), weight.columns(columns), into: $0, transposingB: true)
    }
  }
}
