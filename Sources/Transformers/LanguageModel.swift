package import Tensors

/// A decoder-only language model whose weights are a value.
package protocol LanguageModel: Sendable {
  /// The name of the architecture, as Hugging Face's `model_type`.
  static var architecture: String { get }

  /// Named tensors in declaration order; a gradient is the same type.
  var parameters: Parameters { get set }
  /// Every place that can be recorded or edited.
  var sites: [ActivationSite] { get }
  var shape: ModelShape { get }
  /// The names of the tensors that matter to readouts and to training.
  var names: ParameterNames { get }

  /// Runs the model.
  ///
  /// - Parameters:
  ///   - batch: Rows of tokens.
  ///   - sites: What to record, after any edit of it.
  ///   - interventions: Edits, applied in order where the computation reaches their site.
  ///   - selection: For which tokens to compute logits.
  /// - Returns: Recordings and logits.
  func forward(
    _ batch: TokenBatch, recording sites: Set<ActivationSite>,
    editing interventions: [Intervention], logits selection: LogitSelection
  ) -> ForwardPass

  /// Memory for computing gradients, reused from step to step.
  func makeGradientTape() -> any GradientTape

  /// A generator of continuations with cached keys and values.
  func makeDecoder(rows: Int, capacity: Int) -> any CachedDecoder
}

/// The sizes of a model that readouts need.
package struct ModelShape: Sendable, Equatable {
  package let vocabulary: Int
  package let width: Int
  package let layers: Int
  package let heads: Int
  package let keyHeads: Int
  package let headWidth: Int
  package let mlpWidth: Int
  /// Tokens that a row may have; it changes no computation.
  package let context: Int
  package let normEpsilon: Float
  package let ropeTheta: Double

  /// Whether two models compute alike, but for their weights.
  package func computesLike(_ other: ModelShape) -> Bool {
    (vocabulary, width, layers) == (other.vocabulary, other.width, other.layers)
      && (heads, keyHeads, headWidth) == (other.heads, other.keyHeads, other.headWidth)
      && (mlpWidth, normEpsilon, ropeTheta) == (other.mlpWidth, other.normEpsilon, other.ropeTheta)
  }
}

/// The names under which a model keeps the tensors that methods look for.
package struct ParameterNames: Sendable {
  package let embedding: String
  package let finalNorm: String
  package let unembedding: String
  /// The matrices of each block that write into the residual stream, shaped `[width, input]`.
  package let writers: [[String]]
  /// Every tensor of each block.
  package let blocks: [[String]]

  /// The block and module that a tensor belongs to.
  package func module(of name: String) -> ModuleSite {
    if name == embedding { return .embedding }
    if name == unembedding { return .unembedding }
    guard let layer = blocks.firstIndex(where: { $0.contains(name) }) else { return .finalNorm }
    return name.contains("attn") || name.contains("input_layernorm")
      ? .attention(layer: layer) : .mlp(layer: layer)
  }
}

/// A part of a model that holds weights: what the question *where* is answered with.
package enum ModuleSite: Hashable, Sendable, CustomStringConvertible {
  case embedding
  case attention(layer: Int)
  case mlp(layer: Int)
  case finalNorm
  case unembedding

  /// Every module of a model, in the order of the computation.
  package static func all(layers: Int) -> [ModuleSite] {
    [.embedding] + (0..<layers).flatMap { [.attention(layer: $0), .mlp(layer: $0)] }
      + [.finalNorm, .unembedding]
  }

  package var description: String {
    switch self {
    case .embedding: "embed"
    case .attention(let layer): "blocks.\(layer).attn"
    case .mlp(let layer): "blocks.\(layer).mlp"
    case .finalNorm: "ln_final"
    case .unembedding: "unembed"
    }
  }

  /// The block it lies in, if it lies in one.
  package var layer: Int? {
    switch self {
    case .attention(let layer), .mlp(let layer): layer
    case .embedding, .finalNorm, .unembedding: nil
    }
  }
}

/// For which tokens a forward pass computes logits.
package enum LogitSelection: Sendable {
  case none
  case all
  /// The last token of each row.
  case last
}

/// What a forward pass leaves behind.
package struct ForwardPass: Sendable {
  package let batch: TokenBatch
  /// Recordings, each shaped `[tokens of the batch, width of the site]`.
  package let recordings: [ActivationSite: Tensor]
  /// Shaped `[selected tokens, vocabulary]`, in the order of the batch.
  package let logits: Tensor

  package init(batch: TokenBatch, recordings: [ActivationSite: Tensor], logits: Tensor) {
    self.batch = batch
    self.recordings = recordings
    self.logits = logits
  }

  /// What was recorded at `site`, shaped `[tokens, width]`.
  ///
  /// - Precondition: The pass was asked to record it.
  package subscript(site: ActivationSite) -> Tensor {
    guard let recording = recordings[site] else {
      preconditionFailure("The forward pass was not asked to record \(site)")
    }
    return recording
  }
}

/// Memory for gradients of one model's loss.
package protocol GradientTape: AnyObject {
  /// Computes a loss, in nats, and its gradient.
  ///
  /// - Parameters:
  ///   - model: The weights to differentiate at.
  ///   - batch: What the loss is measured on.
  ///   - scope: Names of the tensors whose gradient is needed; all if nil. Others may be zero.
  /// - Returns: The loss and a gradient that is valid until the next call.
  func lossAndGradient(
    of model: any LanguageModel, on batch: TrainingBatch, scope: Set<String>?
  ) -> (loss: Double, gradient: Parameters)
}

/// Continues rows of tokens, keys and values cached.
package protocol CachedDecoder: AnyObject {
  /// Appends tokens to each row and returns the logits after them, shaped `[rows, vocabulary]`.
  func append(_ tokens: [[Int]]) -> Tensor
}

extension LanguageModel {
  package func forward(_ batch: TokenBatch, logits: LogitSelection = .all) -> ForwardPass {
    forward(batch, recording: [], editing: [], logits: logits)
  }

  package func forward(
    _ batch: TokenBatch, recording sites: Set<ActivationSite>, logits: LogitSelection = .none
  ) -> ForwardPass {
    forward(batch, recording: sites, editing: [], logits: logits)
  }

  /// A loss and its gradient, in memory of its own.
  package func lossAndGradient(on batch: TrainingBatch) -> (loss: Double, gradient: Parameters) {
    makeGradientTape().lossAndGradient(of: self, on: batch, scope: nil)
  }

  /// The model with other weights of the same layout.
  package func with(_ parameters: Parameters) -> Self {
    precondition(parameters.layout == self.parameters.layout, "The weights have another layout")
    var copy = self
    copy.parameters = parameters
    return copy
  }
}
