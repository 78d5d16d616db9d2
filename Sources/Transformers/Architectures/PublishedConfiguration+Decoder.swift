internal import JSON
internal import Tensors

// What the families that follow Llama's layout have in common.

extension TensorNames {
  /// The names that most families have taken over.
  static let common = TensorNames(
    embedding: "model.embed_tokens.weight", finalNorm: "model.norm.weight",
    head: "lm_head.weight", blocks: "model.layers.",
    modules: [
      .attentionNorm: "input_layernorm", .query: "self_attn.q_proj", .key: "self_attn.k_proj",
      .value: "self_attn.v_proj", .queryNorm: "self_attn.q_norm", .keyNorm: "self_attn.k_norm",
      .attentionOutput: "self_attn.o_proj",
      .mlpNorm: "post_attention_layernorm", .gate: "mlp.gate_proj", .up: "mlp.up_proj",
      .down: "mlp.down_proj",
    ])

  /// The same names but for some modules.
  func calling(_ modules: [TensorRole: String]) -> TensorNames {
    var names = self
    names.modules.merge(modules) { $1 }
    return names
  }
}

extension PublishedConfiguration {
  /// A decoder with rotary positions and a gated MLP.
  ///
  /// - Throws: `CheckpointError.badConfiguration`. Nothing that decides the computation is guessed:
  ///   transformers' own default of 32 blocks would hide a missing `num_hidden_layers`.
  func commonParts(
    _ architecture: any Architecture.Type, names: TensorNames = .common,
    biases: Set<TensorRole> = [], norms: Norms = Norms(), epsilon: Double = 1e-6,
    isTied: Bool = false
  ) throws -> DecoderParts {
    let heads = try size("num_attention_heads"), width = try size("hidden_size")
    let headWidth = try optionalSize("head_dim") ?? width / heads
    let keyHeads = try optionalSize("num_key_value_heads") ?? heads
    guard heads % keyHeads == 0 else {
      throw fault("num_key_value_heads", "is \(keyHeads), which does not divide \(heads) heads")
    }
    guard headWidth > 0, headWidth % 2 == 0 else {
      throw fault("head_dim", "is \(headWidth); rotary positions need an even width")
    }
    guard heads * headWidth <= Self.sizeLimit else {
      throw fault("head_dim", "is \(headWidth), which \(heads) heads make impossibly wide")
    }
    if let share = try rotaryShare() ?? number("partial_rotary_factor"), share != 1 {
      throw fault("partial_rotary_factor", "is \(share); this family rotates whole heads")
    }
    try refuseWhatIsUnknown()
    var norms = norms
    norms.epsilon = try normEpsilon("rms_norm_eps", or: epsilon)
    return DecoderParts(
      architecture: architecture.name, tensorNames: names, vocabulary: try size("vocab_size"),
      width: width, layers: try size("num_hidden_layers", limit: 4096), heads: heads,
      keyHeads: keyHeads, headWidth: headWidth, mlpWidth: try size("intermediate_size"),
      context: try optionalSize("max_position_embeddings") ?? 2048,
      attention: AttentionParts(reach: .init(rotary: try rotaryPositions())),
      mlp: MLPParts(try activation("hidden_act", or: .silu)), norms: norms,
      isTied: try flag("tie_word_embeddings", or: isTied), biases: biases)
  }
}

extension PublishedConfiguration {
  /// The roles that `attention_bias` gives a bias to: all four matrices, or none.
  func attentionBiases(or standard: Bool = false) throws -> Set<TensorRole> {
    try flag("attention_bias", or: standard)
      ? Set(DecoderParts.readingRoles + [.attentionOutput]) : []
  }

  /// The attention of a family that may have windows in its upper blocks (`use_sliding_window`).
  func attentionWithUpperWindows(_ parts: DecoderParts) throws -> AttentionParts {
    var attention = parts.attention
    guard try flag("use_sliding_window") else { return attention }
    guard let window = try optionalSize("sliding_window") else {
      throw fault("sliding_window", "is missing, but use_sliding_window is true")
    }
    let first = try optionalSize("max_window_layers", from: 0) ?? 28
    attention.local = AttentionParts.Local(
      try localBlocks(layers: parts.layers) { $0 >= first },
      .init(window: window, rotary: attention.reach.rotary))
    return attention
  }
}

extension AttentionParts {
  /// The settings that `attentionWithUpperWindows` reads.
  func upperWindowSettings(_ layers: Int) -> [(String, JSONValue)] {
    guard let window = local?.reach.window else {
      return [("use_sliding_window", .bool(false))]
    }
    return [
      ("use_sliding_window", .bool(true)), ("sliding_window", .integer(Int64(window))),
      ("layer_types", layerTypes(layers)),
    ]
  }
}

extension DecoderParts {
  /// The keys of `config.json` that `commonParts` reads, old and new spellings side by side.
  ///
  /// - Parameter kind: What transformers calls the class of the whole model.
  func commonSettings(class kind: String) -> [(String, JSONValue)] {
    classSettings(kind) + positionSettings + [
      ("hidden_size", .size(width)), ("intermediate_size", .size(mlpWidth)),
      ("num_hidden_layers", .size(layers)), ("num_attention_heads", .size(heads)),
      ("num_key_value_heads", .size(keyHeads)), ("head_dim", .size(headWidth)),
      ("max_position_embeddings", .size(context)),
      ("rms_norm_eps", .shortest(norms.epsilon)),
      ("hidden_act", .string(mlp.activation.publishedName)),
    ]
  }

  /// What every `config.json` says.
  ///
  /// - Parameter kind: What transformers calls the class of the whole model.
  func classSettings(_ kind: String) -> [(String, JSONValue)] {
    [
      ("architectures", .array([.string(kind)])), ("model_type", .string(architecture)),
      ("vocab_size", .integer(Int64(vocabulary))), ("tie_word_embeddings", .bool(isTied)),
      ("dtype", .string("float32")), ("torch_dtype", .string("float32")),
    ]
  }

  /// The rotary positions of all blocks, old and new spellings side by side.
  private var positionSettings: [(String, JSONValue)] {
    guard let rotary = attention.reach.rotary, attention.rotaries == [rotary] else {
      return []
    }
    return [("rope_theta", .number(rotary.theta)), ("rope_parameters", rotary.settings())]
  }
}

extension JSONValue {
  static func size(_ value: Int) -> JSONValue { .integer(Int64(value)) }

  /// A number with no more digits than it needs among numbers of 32 bits.
  static func shortest(_ value: Float) -> JSONValue { .number(Double("\(value)") ?? Double(value)) }
}
