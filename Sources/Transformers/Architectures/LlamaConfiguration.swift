/// The sizes and switches of a Llama-style decoder.
package struct LlamaConfiguration: Sendable, Equatable {
  package var vocabulary: Int
  package var width: Int
  package var layers: Int
  package var heads: Int
  /// Key and value heads; queries share them in groups.
  package var keyHeads: Int
  package var headWidth: Int
  package var mlpWidth: Int
  package var context: Int
  package var normEpsilon: Float
  package var ropeTheta: Double
  /// Whether the unembedding is the embedding.
  package var isTied: Bool
  package var hasAttentionBias: Bool
  package var hasMLPBias: Bool

  package init(
    vocabulary: Int, width: Int = 64, layers: Int = 3, heads: Int = 4, keyHeads: Int? = nil,
    headWidth: Int? = nil, mlpWidth: Int = 176, context: Int = 128, normEpsilon: Float = 1e-5,
    ropeTheta: Double = 10_000, isTied: Bool = false, hasAttentionBias: Bool = false,
    hasMLPBias: Bool = false
  ) {
    self.vocabulary = vocabulary
    self.width = width
    self.layers = layers
    self.heads = heads
    self.keyHeads = keyHeads ?? heads
    self.headWidth = headWidth ?? width / heads
    self.mlpWidth = mlpWidth
    self.context = context
    self.normEpsilon = normEpsilon
    self.ropeTheta = ropeTheta
    self.isTied = isTied
    self.hasAttentionBias = hasAttentionBias
    self.hasMLPBias = hasMLPBias
  }

  package var queryWidth: Int { heads * headWidth }
  package var keyWidth: Int { keyHeads * headWidth }
  /// Columns of queries, keys and values side by side.
  package var jointWidth: Int { queryWidth + 2 * keyWidth }

  package var shape: ModelShape {
    ModelShape(
      vocabulary: vocabulary, width: width, layers: layers, heads: heads, keyHeads: keyHeads,
      headWidth: headWidth, mlpWidth: mlpWidth, context: context, normEpsilon: normEpsilon,
      ropeTheta: ropeTheta)
  }

  static let embedding = "model.embed_tokens.weight"
  static let finalNorm = "model.norm.weight"
  static let head = "lm_head.weight"

  static func name(_ layer: Int, _ tensor: String) -> String { "model.layers.\(layer).\(tensor)" }

  /// Every tensor under its Hugging Face name.
  ///
  /// Queries, keys and values are neighbours, and so are gate and up: each group is one product.
  package var layout: ParameterLayout {
    var tensors: [(name: String, shape: [Int])] = [(Self.embedding, [vocabulary, width])]
    for layer in 0..<layers {
      tensors += block.map { (Self.name(layer, $0.name), $0.shape) }
    }
    tensors.append((Self.finalNorm, [width]))
    if !isTied { tensors.append((Self.head, [vocabulary, width])) }
    return ParameterLayout(tensors)
  }

  private var block: [(name: String, shape: [Int])] {
    var tensors: [(name: String, shape: [Int])] = [
      ("input_layernorm.weight", [width]),
      ("self_attn.q_proj.weight", [queryWidth, width]),
      ("self_attn.k_proj.weight", [keyWidth, width]),
      ("self_attn.v_proj.weight", [keyWidth, width]),
    ]
    if hasAttentionBias {
      tensors += [
        ("self_attn.q_proj.bias", [queryWidth]), ("self_attn.k_proj.bias", [keyWidth]),
        ("self_attn.v_proj.bias", [keyWidth]),
      ]
    }
    tensors.append(("self_attn.o_proj.weight", [width, queryWidth]))
    if hasAttentionBias { tensors.append(("self_attn.o_proj.bias", [width])) }
    tensors += [
      ("post_attention_layernorm.weight", [width]),
      ("mlp.gate_proj.weight", [mlpWidth, width]), ("mlp.up_proj.weight", [mlpWidth, width]),
    ]
    if hasMLPBias {
      tensors += [("mlp.gate_proj.bias", [mlpWidth]), ("mlp.up_proj.bias", [mlpWidth])]
    }
    tensors.append(("mlp.down_proj.weight", [width, mlpWidth]))
    if hasMLPBias { tensors.append(("mlp.down_proj.bias", [width])) }
    return tensors
  }
}
