internal import CKernels

/// The sizes of one row's attention; queries are the last of the keys' positions.
package struct AttentionShape: Sendable {
  package let queries: Int
  package let keys: Int
  package let heads: Int
  package let keyHeads: Int
  package let headWidth: Int
  /// How many keys a query sees, its own included; all before it if nil.
  package var window: Int?
  /// What scores are multiplied by.
  package var scale: Float
  /// Scores are capped by `cap · tanh(score / cap)`; not at all if nil.
  package let cap: Float?

  /// Creates a shape; scores are divided by √headWidth unless a scale is given.
  ///
  /// - Precondition: Query heads share key heads evenly, there are no more queries than keys, and a window
  ///   has a token.
  package init(
    queries: Int, keys: Int, heads: Int, keyHeads: Int, headWidth: Int, window: Int? = nil,
    scale: Float? = nil, cap: Float? = nil
  ) {
    precondition(
      heads % keyHeads == 0 && queries <= keys && window ?? 1 > 0, "Impossible attention shape")
    self.window = window
    self.scale = scale ?? 1 / Float(headWidth).squareRoot()
    self.cap = cap
    self.queries = queries
    self.keys = keys
    self.heads = heads
    self.keyHeads = keyHeads
    self.headWidth = headWidth
  }

  /// Distance between two rows of a pattern: the keys, rounded up to whole vectors.
  package var patternStride: Int { (keys + 31) / 32 * 32 }
  /// Floats in the pattern of all heads, shaped `[heads · queries, patternStride]`.
  package var patternCount: Int { heads * queries * patternStride }
  /// Floats of scratch memory that a call needs.
  package var scratchCount: Int { ck_attention_scratch(keys, headWidth) }

  fileprivate func shape(_ queries: Matrix, _ keys: Matrix, _ output: Matrix) -> ck_attention_shape
  {
    ck_attention_shape(
      queries: self.queries, keys: self.keys, heads: heads, key_heads: keyHeads,
      head_width: headWidth, query_stride: queries.stride, key_stride: keys.stride,
      output_stride: output.stride, pattern_stride: patternStride,
      window: window ?? self.keys, scale: scale, cap: cap ?? 0)
  }
}

/// Causal grouped-query attention of one row: softmax(Q Kᵀ / √headWidth) V, head by head.
///
/// - Parameters:
///   - shape: The sizes.
///   - queries: Shaped `[queries, heads · headWidth]`.
///   - keys: Shaped `[keys, keyHeads · headWidth]`.
///   - values: Shaped and strided like `keys`.
///   - pattern: Receives the attention probabilities, `shape.patternCount` floats.
///   - output: Shaped like `queries`.
///   - scratch: `shape.scratchCount` floats.
package func attention(
  _ shape: AttentionShape, queries: Matrix, keys: Matrix, values: Matrix, pattern: Matrix,
  into output: Matrix, scratch: Matrix
) {
  precondition(
    keys.stride == values.stride && pattern.count >= shape.patternCount
      && scratch.count >= shape.scratchCount, "Wrong shapes")
  var sizes = shape.shape(queries, keys, output)
  kernels.attention(
    &sizes, queries.start, keys.start, values.start, pattern.start, output.start, scratch.start)
}

/// Mixes values by a given pattern: the second half of `attention`, after the pattern was edited.
package func attentionMix(
  _ shape: AttentionShape, values: Matrix, pattern: Matrix, into output: Matrix, scratch: Matrix
) {
  var sizes = shape.shape(output, values, output)
  kernels.attention_mix(&sizes, values.start, pattern.start, output.start, scratch.start)
}

/// Adds the gradients of `attention` to those of queries, keys and values.
package func attentionGradient(
  _ shape: AttentionShape, of outputGradient: Matrix, queries: Matrix, keys: Matrix,
  values: Matrix, pattern: Matrix, queryGradient: Matrix, keyGradient: Matrix,
  valueGradient: Matrix, scratch: Matrix
) {
  precondition(
    queryGradient.stride == queries.stride && keyGradient.stride == keys.stride
      && valueGradient.stride == keys.stride && scratch.count >= shape.scratchCount,
    "Wrong shapes")
  var sizes = shape.shape(queries, keys, outputGradient)
  kernels.attention_gradient(
    &sizes, queries.start, keys.start, values.start, pattern.start, outputGradient.start,
    queryGradient.start, keyGradient.start, valueGradient.start, scratch.start)
}
