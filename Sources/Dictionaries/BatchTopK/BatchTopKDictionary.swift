package import Tensors

/// A sparse autoencoder of one model's activations, a transcoder from some activations to others, or a crosscoder of several
/// models' side by side, with thresholds that stand for BatchTopK (Bussmann et al., 2024, arXiv 2412.06410; Minder et al.,
/// 2025, arXiv 2504.02922).
///
/// Of x, normalised, fⱼ = max(0, wⱼ · x + bⱼ); a latent is active where sⱼ = fⱼ Σₘ ‖dⱼᵐ‖ exceeds its threshold, and
/// x̂ = Σⱼ fⱼ dⱼ + c, each model m with a part dⱼᵐ of dⱼ. A row's code depends on no other row.
package struct BatchTopKDictionary: Equatable, Sendable {
  /// How many models' activations lie side by side.
  package let models: Int
  /// Shaped `[latents, models · width]`.
  package let encoder, decoder: Tensor
  /// Shaped `[latents]`.
  package let encoderBias: Tensor
  /// Shaped `[models · width]`.
  package let decoderBias: Tensor
  /// What each latent's scaled score has to exceed, shaped `[latents]`.
  package let thresholds: Tensor
  /// Of what is read.
  package let normalizer: Normalizer
  /// Of what is written: of a transcoder another than of what is read.
  package let outputNormalizer: Normalizer

  /// Takes numbers as they are.
  ///
  /// - Parameter outputNormalizer: That of what is read if nil.
  /// - Precondition: Shapes fit each other.
  package init(
    models: Int, encoder: Tensor, encoderBias: Tensor, decoder: Tensor, decoderBias: Tensor,
    thresholds: Tensor, normalizer: Normalizer, outputNormalizer: Normalizer? = nil
  ) {
    precondition(
      encoder.shape == decoder.shape && encoderBias.count == encoder.rows
        && thresholds.count == encoder.rows && decoderBias.count == encoder.columns
        && encoder.columns.isMultiple(of: models),
      "Parts of a dictionary do not fit each other")
    self.models = models
    self.encoder = encoder
    self.encoderBias = encoderBias
    self.decoder = decoder
    self.decoderBias = decoderBias
    self.thresholds = thresholds
    self.normalizer = normalizer
    self.outputNormalizer = outputNormalizer ?? normalizer
  }

  package var latents: Int { encoder.rows }
  /// Numbers in an activation of one model.
  package var width: Int { encoder.columns / models }

  /// The directions of the latents in one model, shaped `[latents, width]`.
  package func directions(of model: Int) -> Tensor {
    decoder.columns(model * width..<(model + 1) * width)
  }

  /// Σₘ ‖dⱼᵐ‖ of each latent.
  package var norms: [Float] { Self.norms(Matrix(decoder), models: models) }

  static func norms(_ decoder: Matrix, models: Int) -> [Float] {
    let width = decoder.columns / models, tensor = decoder.tensor
    return (0..<models).map { tensor.columns($0 * width..<($0 + 1) * width).rowNorms }
      .reduce([Float](repeating: 0, count: decoder.rows)) { zip($0, $1).map { $0 + $1 } }
  }

  /// The codes of activations.
  ///
  /// - Parameter activations: Of the models side by side, shaped `[rows, models · width]`.
  package func codes(of activations: Tensor) -> SparseCodes {
    SparseCodes(
      latents: latents,
      rows: stride(from: 0, to: activations.rows, by: Self.rowsAtOnce).flatMap { first in
        entries(
          of: activations.rows(
            at: Array(first..<min(first + Self.rowsAtOnce, activations.rows))))
      })
  }

  /// Rows whose scores for all latents are held at once.
  private static let rowsAtOnce = 4096

  private func entries(of activations: Tensor) -> [[SparseCodes.Entry]] {
    let input = normalizer.normalized(activations)
    let scores = Matrix(undefinedRows: input.rows, columns: latents)
    multiply(Matrix(input), Matrix(encoder), into: scores, transposingB: true)
    addToRows(Matrix(encoderBias.reshaped([1, latents])), of: scores)
    let norms = norms, values = scores.tensor, thresholds = thresholds.scalars
    return (0..<values.rows).map { row in
      values.row(row).enumerated().compactMap { latent, value in
        value > 0 && value * norms[latent] > thresholds[latent]
          ? SparseCodes.Entry(latent: latent, value: value) : nil
      }
    }
  }

  /// What codes stand for, shaped `[rows, models · width]`.
  package func decoded(_ codes: SparseCodes) -> Tensor {
    outputNormalizer.restored(codes.decoded(decoder).addingToRows(decoderBias))
  }
}
