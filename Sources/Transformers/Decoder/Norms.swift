package import Tensors

/// Where a decoder normalises, and how.
package struct Norms: Sendable, Hashable {
  package enum Kind: Sendable, Hashable {
    /// By the root mean square; the gain is what is learned beside an offset of 0 or 1.
    case rootMeanSquare(offset: Float)
    /// To mean 0 and variance 1, with a bias behind.
    case layer
  }

  /// What of queries and keys is normalised at once, before they are rotated.
  package enum QueryKeyNorm: Sendable, Hashable {
    /// Each head by itself, with one gain for all heads.
    case perHead
    /// All heads together.
    case whole
  }

  package var kind: Kind
  /// Added to the mean square.
  package var epsilon: Float
  /// Whether what a branch reads is normalised.
  package var areBefore: Bool
  /// Whether what a branch adds to the stream is.
  package var areAfter: Bool
  package var ofQueriesAndKeys: QueryKeyNorm?

  /// What a gain is learned beside.
  package var gainOffset: Float {
    if case .rootMeanSquare(let offset) = kind { offset } else { 0 }
  }

  /// The roles of their gains.
  var roles: Set<TensorRole> {
    Set(areBefore ? [.attentionNorm, .mlpNorm] : [])
      .union(areAfter ? [.attentionPostNorm, .mlpPostNorm] : [])
      .union(ofQueriesAndKeys == nil ? [] : [.queryNorm, .keyNorm])
  }

  /// Before each branch alone, by the root mean square, unless said otherwise.
  package init(
    kind: Kind = .rootMeanSquare(offset: 0), epsilon: Float = 1e-5, areBefore: Bool = true,
    areAfter: Bool = false, ofQueriesAndKeys: QueryKeyNorm? = nil
  ) {
    self.kind = kind
    self.epsilon = epsilon
    self.areBefore = areBefore
    self.areAfter = areAfter
    self.ofQueriesAndKeys = ofQueriesAndKeys
  }
}

/// What a norm has learned, or its gradient; each shaped `[1, width]`.
package struct NormWeights {
  package let gain: Matrix
  /// There if the norm is of the kind that has one.
  package let bias: Matrix?

  package init(gain: Matrix, bias: Matrix?) {
    self.gain = gain
    self.bias = bias
  }

  /// As many zeros.
  fileprivate var zeros: NormWeights {
    NormWeights(
      gain: Matrix(rows: gain.rows, columns: gain.columns),
      bias: bias.map { Matrix(rows: $0.rows, columns: $0.columns) })
  }
}

extension Parameters {
  /// The weights of a norm, by the names of its gain and of its bias, if it has one.
  func norm(_ gain: String, bias: String?) -> NormWeights {
    NormWeights(gain: matrix(gain), bias: bias.map { matrix($0) })
  }
}

extension Norms {
  /// Normalises each row.
  ///
  /// - Parameters:
  ///   - weights: What the norm has learned.
  ///   - input: Shaped `[rows, width]`.
  ///   - output: Shaped like `input`.
  ///   - reciprocals: One a row, shaped `[1, rows]`; the gradient needs them.
  package func apply(
    _ weights: NormWeights, to input: Matrix, into output: Matrix, reciprocals: Matrix
  ) {
    switch kind {
    case .rootMeanSquare(let offset):
      rmsNorm(
        input, gain: weights.gain, offset: offset, epsilon: epsilon, into: output,
        reciprocals: reciprocals)
    case .layer:
      layerNorm(
        input, gain: weights.gain, bias: bias(weights), epsilon: epsilon, into: output,
        reciprocals: reciprocals)
    }
  }

  /// Adds the gradients of `apply` to those of its input and, if they are asked for, its weights.
  func addGradient(
    of output: Matrix, _ weights: NormWeights, input: Matrix, reciprocals: Matrix,
    to inputGradient: Matrix, _ asked: NormWeights?
  ) {
    let gradient = asked ?? weights.zeros
    switch kind {
    case .rootMeanSquare(let offset):
      rmsNormGradient(
        of: output, input: input, gain: weights.gain, offset: offset, reciprocals: reciprocals,
        inputGradient: inputGradient, gainGradient: gradient.gain)
    case .layer:
      layerNormGradient(
        of: output, input: input, gain: weights.gain, reciprocals: reciprocals,
        inputGradient: inputGradient, gainGradient: gradient.gain, biasGradient: bias(gradient))
    }
  }

  private func bias(_ weights: NormWeights) -> Matrix {
    guard let bias = weights.bias else { preconditionFailure("A layer norm has a bias") }
    return bias
  }
}
