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
      tensors += blockTensors(layer: layer).map { ($0.name, shape(of: $0)) }
    }
    tensors.append((Self.finalNorm, [width]))
    if !isTied { tensors.append((Self.head, [vocabulary, width])) }
    return ParameterLayout(tensors)
  }

  /// The tensors' names, by what they do.
  var names: ParameterNames {
    ParameterNames(
      embedding: Self.embedding, finalNorm: Self.finalNorm,
      unembedding: isTied ? Self.embedding : Self.head,
      blocks: (0..<layers).map { blockTensors(layer: $0) })
  }

  /// The tensors of a block, in the order of the layout.
  func blockTensors(layer: Int) -> [BlockTensor] {
    func tensors(_ roles: [TensorRole], isBias: Bool = false) -> [BlockTensor] {
      roles.map { role in
        let name = Self.module(role) + (isBias ? ".bias" : ".weight")
        return BlockTensor(role, isBias: isBias, name: Self.name(layer, name))
      }
    }
    func group(_ roles: [TensorRole], hasBias: Bool) -> [BlockTensor] {
      tensors(roles) + (hasBias ? tensors(roles, isBias: true) : [])
    }
    return tensors([.attentionNorm])
      + group([.query, .key, .value], hasBias: hasAttentionBias)
      + group([.attentionOutput], hasBias: hasAttentionBias)
      + tensors([.mlpNorm]) + group([.gate, .up], hasBias: hasMLPBias)
      + group([.down], hasBias: hasMLPBias)
  }

  private static func module(_ role: TensorRole) -> String {
    switch role {
    case .attentionNorm: "input_layernorm"
    case .query: "self_attn.q_proj"
    case .key: "self_attn.k_proj"
    case .value: "self_attn.v_proj"
    case .attentionOutput: "self_attn.o_proj"
    case .mlpNorm: "post_attention_layernorm"
    case .gate: "mlp.gate_proj"
    case .up: "mlp.up_proj"
    case .down: "mlp.down_proj"
    }
  }

  private func shape(of tensor: BlockTensor) -> [Int] {
    let (output, input) =
      switch tensor.role {
      case .attentionNorm, .mlpNorm: (width, 1)
      case .query: (queryWidth, width)
      case .key, .value: (keyWidth, width)
      case .attentionOutput: (width, queryWidth)
      case .gate, .up: (mlpWidth, width)
      case .down: (width, mlpWidth)
      }
    let isVector = tensor.isBias || tensor.role == .attentionNorm || tensor.role == .mlpNorm
    return isVector ? [output] : [output, input]
  }
}
