internal import CKernels

/// The C kernels for this processor: a table of functions, never written to.
nonisolated(unsafe) let kernels = ck_best().pointee

/// The instruction set of the kernels in use: `baseline`, `avx2` or `avx512`.
package var kernelLevel: String { String(cString: kernels.level) }

// MARK: Vectors

/// Adds `factor` times `x` to `y`, element by element.
package func addScaled(_ x: Matrix, by factor: Float = 1, to y: Matrix) {
  precondition(x.rows == y.rows && x.columns == y.columns, "Cannot add unequal shapes")
  if x.isContiguous && y.isContiguous {
    return kernels.add_scaled(x.start, factor, x.count, y.start)
  }
  for row in 0..<x.rows {
    kernels.add_scaled(x.start + row * x.stride, factor, x.columns, y.start + row * y.stride)
  }
}

/// Adds a bias, shaped `[1, columns]`, to every row.
package func addToRows(_ bias: Matrix, of matrix: Matrix) {
  for row in 0..<matrix.rows {
    kernels.add_scaled(bias.start, 1, matrix.columns, matrix.start + row * matrix.stride)
  }
}

/// Adds the sum of all rows to a bias gradient, shaped `[1, columns]`.
package func addSumOfRows(of matrix: Matrix, to bias: Matrix) {
  for row in 0..<matrix.rows {
    kernels.add_scaled(matrix.start + row * matrix.stride, 1, matrix.columns, bias.start)
  }
}

/// The sum of squares of a contiguous window.
package func sumOfSquares(_ x: Matrix) -> Double { kernels.sum_of_squares(x.start, x.count) }

// MARK: Norm

/// Normalises each row by its root mean square.
///
/// Follows Zhang & Sennrich, "Root Mean Square Layer Normalization" (2019):
/// `y = x / sqrt(mean(x²) + epsilon) · (offset + gain)`.
///
/// - Parameters:
///   - input: Activations, shaped `[rows, width]`.
///   - gain: Learned scale, shaped `[1, width]`.
///   - offset: What the scale is learned beside: 0 or 1.
///   - epsilon: Added to the mean square.
///   - output: Shaped like `input`.
///   - reciprocals: One reciprocal norm a row, shaped `[1, rows]`; the gradient needs it.
package func rmsNorm(
  _ input: Matrix, gain: Matrix, offset: Float = 0, epsilon: Float, into output: Matrix,
  reciprocals: Matrix
) {
  precondition(gain.columns == input.columns && reciprocals.count >= input.rows, "Wrong shapes")
  kernels.rms_norm(
    input.start, gain.start, offset, epsilon, input.rows, input.columns, output.start,
    reciprocals.start)
}

/// Adds the gradients of `rmsNorm` to `inputGradient` and `gainGradient`.
package func rmsNormGradient(
  of outputGradient: Matrix, input: Matrix, gain: Matrix, offset: Float = 0, reciprocals: Matrix,
  inputGradient: Matrix, gainGradient: Matrix
) {
  kernels.rms_norm_gradient(
    outputGradient.start, input.start, gain.start, offset, reciprocals.start, input.rows,
    input.columns, inputGradient.start, gainGradient.start)
}

/// Normalises each row to mean 0 and variance 1 (Ba, Kiros & Hinton, 2016).
///
/// - Parameters:
///   - input: Activations, shaped `[rows, width]`.
///   - gain: Learned scale, shaped `[1, width]`.
///   - bias: What is added, shaped `[1, width]`.
///   - epsilon: Added to the variance.
///   - output: Shaped like `input`.
///   - reciprocals: One reciprocal deviation a row, shaped `[1, rows]`; the gradient needs it.
package func layerNorm(
  _ input: Matrix, gain: Matrix, bias: Matrix, epsilon: Float, into output: Matrix,
  reciprocals: Matrix
) {
  precondition(gain.columns == input.columns && reciprocals.count >= input.rows, "Wrong shapes")
  kernels.layer_norm(
    input.start, gain.start, bias.start, epsilon, input.rows, input.columns, output.start,
    reciprocals.start)
}

/// Adds the gradients of `layerNorm` to those of its input, gain and bias.
package func layerNormGradient(
  of outputGradient: Matrix, input: Matrix, gain: Matrix, reciprocals: Matrix,
  inputGradient: Matrix, gainGradient: Matrix, biasGradient: Matrix
) {
  kernels.layer_norm_gradient(
    outputGradient.start, input.start, gain.start, reciprocals.start, input.rows, input.columns,
    inputGradient.start, gainGradient.start, biasGradient.start)
}

// MARK: Rotary embedding

/// Turns the first numbers of each head of each row by its position's angles, in place.
///
/// Su and others, 2021, half-split. There are as many pairs as angles; what is beyond them stays.
///
/// - Parameters:
///   - x: Queries or keys, shaped `[rows, heads · headWidth]`.
///   - headWidth: Width of a head.
///   - cosines: Shaped `[rows, pairs]`, at most half a head's width.
///   - sines: Shaped like `cosines`.
///   - inverse: Whether to turn back, which is also the gradient.
package func rotate(
  _ x: Matrix, headWidth: Int, cosines: Matrix, sines: Matrix, inverse: Bool = false
) {
  precondition(2 * cosines.columns <= headWidth, "Wrong shapes")
  kernels.rotate(
    x.start, x.rows, x.columns / headWidth, headWidth, 2 * cosines.columns, x.stride,
    cosines.start, sines.start, inverse ? -1 : 1)
}

// MARK: Activations

/// What a neuron makes of its input.
package enum Activation: String, Sendable, Hashable {
  /// x σ(x).
  case silu
  /// x Φ(x), with Φ approximated by tanh (Hendrycks & Gimpel, 2016).
  case geluTanh
  /// x Φ(x).
  case gelu
  /// max(x, 0).
  case relu

  fileprivate var kernel: ck_activation {
    switch self {
    case .silu: CK_SILU
    case .geluTanh: CK_GELU_TANH
    case .gelu: CK_GELU
    case .relu: CK_RELU
    }
  }
}

extension Activation {
  /// Computes f(x), or f(gate) · up from joint rows (Shazeer, 2020), shaped `[rows, 2 · width]`.
  package func apply(_ input: Matrix, isGated: Bool, into output: Matrix) {
    precondition(input.columns == (isGated ? 2 : 1) * output.columns, "Wrong shapes")
    kernels.activate(
      kernel, isGated ? 1 : 0, input.start, input.rows, output.columns, output.start)
  }

  /// Replaces what `apply` read by its gradient.
  package func gradient(of outputGradient: Matrix, isGated: Bool, replacing input: Matrix) {
    kernels.activate_gradient(
      kernel, isGated ? 1 : 0, outputGradient.start, input.start, outputGradient.rows,
      outputGradient.columns)
  }
}

/// Replaces each number x by cap · tanh(x / cap).
package func softCap(_ x: Matrix, at cap: Float) {
  precondition(x.isContiguous, "Wrong shapes")
  kernels.soft_cap(x.start, x.count, cap)
}

/// Turns the gradient of capped numbers into that of the numbers before.
package func softCapGradient(_ gradient: Matrix, capped: Matrix, at cap: Float) {
  precondition(gradient.isContiguous && capped.isContiguous, "Wrong shapes")
  kernels.soft_cap_gradient(gradient.start, capped.start, gradient.count, cap)
}

// MARK: Softmax and losses

/// Replaces each row by its softmax.
package func softmax(_ x: Matrix) { kernels.softmax(x.start, x.rows, x.columns, x.stride) }

/// Replaces each row by the logarithm of its softmax.
package func logSoftmax(_ x: Matrix) { kernels.log_softmax(x.start, x.rows, x.columns, x.stride) }

/// Returns the weighted cross-entropy and replaces the logits by its gradient.
///
/// - Parameters:
///   - logits: Shaped `[rows, vocabulary]`, contiguous.
///   - targets: The right token of each row.
///   - weights: The weight of each row; 0 leaves it out.
/// - Returns: `Σ weight · −log p(target)`, in nats.
package func crossEntropy(
  replacing logits: Matrix, targets: ArraySlice<Int32>, weights: ArraySlice<Float>
) -> Double {
  precondition(targets.count == logits.rows && weights.count == logits.rows, "Wrong shapes")
  return targets.withUnsafeBufferPointer { targets in
    weights.withUnsafeBufferPointer { weights in
      kernels.cross_entropy(
        logits.start, logits.rows, logits.columns, targets.baseAddress, weights.baseAddress)
    }
  }
}

extension Tensor {
  /// Every number through `cap · tanh(x / cap)`.
  package func softCapped(at cap: Float) -> Tensor {
    let capped = Matrix(self)
    softCap(capped, at: cap)
    return capped.tensor.reshaped(shape)
  }
}

/// The sum of the squared differences of two windows of one shape, in double.
package func squaredDistance(_ a: Matrix, _ b: Matrix) -> Double {
  precondition((a.rows, a.columns) == (b.rows, b.columns), "Cannot compare other shapes")
  return (0..<a.rows).reduce(0.0) { sum, row in
    let (x, y) = (a.start + row * a.stride, b.start + row * b.stride)
    return (0..<a.columns).reduce(sum) {
      let difference = Double(x[$1] - y[$1])
      return $0 + difference * difference
    }
  }
}

/// Adds `factor` times the difference of two windows, `a` less `b`, to a third of the same shape.
package func addDifference(_ a: Matrix, less b: Matrix, by factor: Float, to result: Matrix) {
  precondition(
    (a.rows, a.columns) == (b.rows, b.columns)
      && (a.rows, a.columns) == (result.rows, result.columns),
    "Cannot add a difference of other shapes")
  for row in 0..<result.rows {
    let (x, y) = (a.start + row * a.stride, b.start + row * b.stride)
    let sum = result.start + row * result.stride
    for column in 0..<result.columns { sum[column] += (x[column] - y[column]) * factor }
  }
}

/// Returns the weighted KL divergence from target distributions and replaces the logits by its gradient.
///
/// - Parameters:
///   - logits: Shaped `[rows, choices]`, contiguous.
///   - targets: Probabilities, shaped like `logits`; each row sums to 1.
///   - weights: The weight of each row.
/// - Returns: `Σ weight · KL(target ‖ softmax(logits))`, in nats.
package func divergence(replacing logits: Matrix, targets: Matrix, weights: ArraySlice<Float>)
  -> Double
{
  precondition(targets.rows == logits.rows && weights.count == logits.rows, "Wrong shapes")
  return weights.withUnsafeBufferPointer {
    kernels.divergence(
      logits.start, logits.rows, logits.columns, targets.start, $0.baseAddress)
  }
}

// MARK: Optimiser

/// One step of AdamW (Loshchilov & Hutter, 2019: decay decoupled from the gradient).
package struct AdamWStep: Sendable {
  package var learningRate: Float
  package var betas: (Float, Float)
  package var epsilon: Float
  package var weightDecay: Float
  /// The number of this step, from 1.
  package var step: Int
  /// What gradient clipping multiplies the gradient with.
  package var gradientScale: Float

  package init(
    learningRate: Float, betas: (Float, Float) = (0.9, 0.95), epsilon: Float = 1e-8,
    weightDecay: Float, step: Int, gradientScale: Float
  ) {
    self.learningRate = learningRate
    self.betas = betas
    self.epsilon = epsilon
    self.weightDecay = weightDecay
    self.step = step
    self.gradientScale = gradientScale
  }

  /// Updates one tensor and its two moments, all shaped alike and contiguous.
  package func update(_ parameters: Matrix, gradient: Matrix, mean: Matrix, variance: Matrix) {
    var settings = ck_adamw_settings(
      learning_rate: learningRate, beta1: betas.0, beta2: betas.1, epsilon: epsilon,
      weight_decay: weightDecay, correction1: 1 - power(betas.0), correction2: 1 - power(betas.1),
      gradient_scale: gradientScale)
    kernels.adamw(
      parameters.start, gradient.start, mean.start, variance.start, parameters.count, &settings)
  }

  private func power(_ beta: Float) -> Float {
    Float((0..<step).reduce(1.0) { power, _ in power * Double(beta) })
  }
}
