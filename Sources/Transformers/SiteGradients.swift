public import Tensors

/// A number that logits have, and its gradient by them, shaped as they are: `[selected tokens, vocabulary]`.
public typealias LogitFigure = (_ logits: Tensor) -> (value: Double, gradient: Tensor)

/// How a figure of a model's logits depends on its activations.
public struct SiteGradients: Sendable {
  /// The figure.
  public let value: Double
  /// What the pass recorded, and the logits.
  public let pass: ForwardPass
  /// The figure's gradient by each site that was asked for, shaped `[tokens of the batch, width of the site]`.
  public let gradients: [ActivationSite: Tensor]

  /// Gathers what was computed.
  public init(value: Double, pass: ForwardPass, gradients: [ActivationSite: Tensor]) {
    self.value = value
    self.pass = pass
    self.gradients = gradients
  }
}

extension LanguageModel {
  /// Runs the model, edits nothing, and computes how a figure of its logits depends on activations, which it records.
  public func siteGradients(
    of figure: LogitFigure, on batch: TokenBatch, at sites: Set<ActivationSite>,
    logits selection: LogitSelection
  ) -> SiteGradients {
    siteGradients(
      of: figure, on: batch, at: sites, recording: sites, editing: [], logits: selection)
  }
}
