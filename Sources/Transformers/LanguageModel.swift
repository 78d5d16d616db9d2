public import Tensors

/// A decoder-only language model whose weights are a value.
public protocol LanguageModel: Sendable {
  /// The name of the architecture, as Hugging Face's `model_type`.
  var architecture: String { get }

  /// Named tensors in declaration order; a gradient is the same type.
  var parameters: Parameters { get set }
  /// Every place that can be recorded or edited.
  var sites: [ActivationSite] { get }
  var shape: ModelShape { get }
  /// The names of the tensors that matter to readouts and to training.
  var names: ParameterNames { get }
  /// Tokens that it reads behind the first of every row, although nobody gave them; usually none.
  var hiddenPrefix: [Int] { get }

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

  /// Runs the model from each of several streams of a text, in a pass of its own; weights that are formed when they
  /// are read are formed once for all.
  ///
  /// - Parameters:
  ///   - batch: The text.
  ///   - sites: What to record.
  ///   - starts: What each pass starts from: replacements of a whole residual stream.
  /// - Returns: The passes, without logits, in the order of their starts.
  func forward(
    _ batch: TokenBatch, recording sites: Set<ActivationSite>, fromEach starts: [Intervention]
  ) -> [ForwardPass]

  /// Runs the model, and computes how a figure of its logits depends on activations.
  ///
  /// - Parameters:
  ///   - figure: A number that logits have, and its gradient.
  ///   - batch: Rows of tokens.
  ///   - sites: By what it is differentiated, as it is after any edit.
  ///   - recorded: What to record.
  ///   - interventions: Edits; gradients pass them as they pass everything else.
  ///   - selection: Of which tokens the figure is.
  /// - Precondition: No site is an attention pattern, nor the norm of heads whose streams are edited apart.
  func siteGradients(
    of figure: LogitFigure, on batch: TokenBatch, at sites: Set<ActivationSite>,
    recording recorded: Set<ActivationSite>, editing interventions: [Intervention],
    logits selection: LogitSelection
  ) -> SiteGradients

  /// Memory for computing gradients, reused from step to step.
  func makeGradientTape() -> any GradientTape

  /// A generator of continuations with cached keys and values.
  func makeDecoder(rows: Int, capacity: Int) -> any CachedDecoder

  /// Other weights that compute the same function, hardly a number of them the same.
  ///
  /// - Parameter generator: Draws orders and scales.
  func reparameterised(using generator: inout SeededGenerator) -> any LanguageModel

  /// The same function with bias tensors added, all zero, so that a bias can be trained.
  ///
  /// A residual bias before block `l + 1` is the bias of block `l`'s down projection.
  func addingMLPBiases() -> any LanguageModel
}

/// The sizes of a model that readouts need.
public struct ModelShape: Sendable {
  /// Tokens that the model knows.
  public let vocabulary: Int
  /// Numbers in the residual stream.
  public let width: Int
  /// Blocks.
  public let layers: Int
  /// Attention heads of a block.
  public let heads: Int
  /// Heads that keys and values have: fewer where heads share them.
  public let keyHeads: Int
  /// Numbers in a head's query.
  public let headWidth: Int
  /// Neurons of a block's MLP.
  public let mlpWidth: Int
  /// Tokens that a row may have; it changes no computation.
  public let context: Int
  /// Where it normalises, and how.
  package let norms: Norms
  /// What caps its logits, by `cap · tanh(logit / cap)`; nil for nothing.
  package let logitCap: Float?
  /// Whether each place is learned: then no row may have more tokens than `context`.
  public let hasLearnedPositions: Bool
  /// Whether both branches of a block read the same stream.
  package let isParallel: Bool
  /// What decides the computation beside sizes and weights, in words.
  let parts: [(key: String, value: String)]

  /// The settings that decide the computation beside the weights.
  private var settings: [(key: String, value: String)] {
    [
      ("vocab_size", "\(vocabulary)"), ("hidden_size", "\(width)"),
      ("num_hidden_layers", "\(layers)"),
      ("num_attention_heads", "\(heads)"), ("num_key_value_heads", "\(keyHeads)"),
      ("head_dim", "\(headWidth)"), ("intermediate_size", "\(mlpWidth)"),
    ] + parts
  }

  /// The first setting in which two models compute otherwise, whatever their weights; nil if there is none.
  public func difference(from other: ModelShape) -> (key: String, own: String, other: String)? {
    zip(settings, other.settings).first { $0.value != $1.value }
      .map { ($0.key, $0.value, $1.value) }
  }
}

extension ModelShape: Equatable {
  /// Whether two models of these shapes compute alike and take rows of one length.
  public static func == (a: ModelShape, b: ModelShape) -> Bool {
    a.context == b.context && a.difference(from: b) == nil
  }
}

/// For which tokens a forward pass computes logits.
public enum LogitSelection: Sendable {
  case none
  case all
  /// The last token of each row.
  case last
  /// Tokens by their index in the batch, in ascending order.
  case at([Int])
}

/// What a forward pass leaves behind.
public struct ForwardPass: Sendable {
  /// What was read.
  public let batch: TokenBatch
  /// Recordings, each shaped `[tokens of the batch, width of the site]`.
  public let recordings: [ActivationSite: Tensor]
  /// Shaped `[selected tokens, vocabulary]`, in the order of the batch.
  public let logits: Tensor

  /// Gathers what a pass computed.
  public init(batch: TokenBatch, recordings: [ActivationSite: Tensor], logits: Tensor) {
    self.batch = batch
    self.recordings = recordings
    self.logits = logits
  }

  /// What was recorded at `site`, shaped `[tokens, width]`.
  ///
  /// - Precondition: The pass was asked to record it.
  public subscript(site: ActivationSite) -> Tensor {
    guard let recording = recordings[site] else {
      preconditionFailure("The forward pass was not asked to record \(site)")
    }
    return recording
  }
}

/// Memory for gradients of one model's loss.
public protocol GradientTape: AnyObject {
  /// Computes a loss, in nats, and its gradient.
  ///
  /// - Parameters:
  ///   - model: The weights to differentiate at.
  ///   - batch: What the loss is measured on.
  ///   - scope: What is differentiated by.
  /// - Returns: The loss and a gradient that is valid until the next call.
  func lossAndGradient(
    of model: any LanguageModel, on batch: TrainingBatch, scope: GradientScope
  ) -> (loss: Double, gradient: Parameters)
}

/// What a loss is differentiated by.
public enum GradientScope: Sendable {
  /// All tensors.
  case all
  /// The tensors of these names; gradients of others may be zero.
  case tensors(Set<String>)
  /// The factors of every update that is kept beside the weights, named and shaped as those of a `LoRA`.
  case updates
}

/// Continues rows of tokens, keys and values cached.
public protocol CachedDecoder: AnyObject {
  /// Appends tokens to each row and returns the logits after them, shaped `[rows, vocabulary]`.
  func append(_ tokens: [[Int]]) -> Tensor
}

extension LanguageModel {
  /// No prefix.
  public var hiddenPrefix: [Int] { [] }

  /// Runs the model and records nothing.
  public func forward(_ batch: TokenBatch, logits: LogitSelection = .all) -> ForwardPass {
    forward(batch, recording: [], editing: [], logits: logits)
  }

  /// Runs the model from each of several streams, one after the other.
  public func forward(
    _ batch: TokenBatch, recording sites: Set<ActivationSite>, fromEach starts: [Intervention]
  ) -> [ForwardPass] {
    starts.map { forward(batch, recording: sites, editing: [$0], logits: .none) }
  }

  /// Runs the model, edits nothing, and records some sites.
  public func forward(
    _ batch: TokenBatch, recording sites: Set<ActivationSite>, logits: LogitSelection = .none
  ) -> ForwardPass {
    forward(batch, recording: sites, editing: [], logits: logits)
  }

  /// A loss and its gradient, in memory of its own.
  public func lossAndGradient(on batch: TrainingBatch) -> (loss: Double, gradient: Parameters) {
    makeGradientTape().lossAndGradient(of: self, on: batch, scope: .all)
  }

  /// The model with other weights of the same layout.
  public func with(_ parameters: Parameters) -> Self {
    precondition(parameters.layout == self.parameters.layout, "The weights have another layout")
    var copy = self
    copy.parameters = parameters
    return copy
  }
}
