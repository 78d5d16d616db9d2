internal import JSON

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
}

extension PublishedConfiguration {
  /// A decoder with RMSNorm, rotary positions and SwiGLU.
  ///
  /// - Throws: `CheckpointError.badConfiguration`. Nothing that decides the computation is guessed:
  ///   transformers' own default of 32 blocks would hide a missing `num_hidden_layers`.
  func commonParts(
    _ architecture: any Architecture.Type, names: TensorNames = .common,
    biases: Set<TensorRole> = [], window: Int? = nil, norms: Norms = Norms()
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
    try require("hidden_act", among: ["silu", "swish"])
    try refuseWhatIsUnknown()
    let positions = try rotaryPositions()
    return DecoderParts(
      architecture: architecture.name, tensorNames: names, vocabulary: try size("vocab_size"),
      width: width, layers: try size("num_hidden_layers", limit: 4096), heads: heads,
      keyHeads: keyHeads, headWidth: headWidth, mlpWidth: try size("intermediate_size"),
      context: try optionalSize("max_position_embeddings") ?? 2048,
      normEpsilon: try normEpsilon(), ropeTheta: positions.theta, ropeScaling: positions.scaling,
      window: window, norms: norms, isTied: try flag("tie_word_embeddings"), biases: biases)
  }
}

extension PublishedConfiguration {
  /// The roles that `attention_bias` gives a bias to: all four matrices, or none.
  func attentionBiases() throws -> Set<TensorRole> {
    try flag("attention_bias") ? Set(DecoderParts.readingRoles + [.attentionOutput]) : []
  }

  /// Refuses windows that only some blocks have.
  func refuseSomeWindows() throws {
    if try flag("use_sliding_window") {
      throw fault("use_sliding_window", "is true; windows in some blocks only are not supported")
    }
  }
}

extension DecoderParts {
  /// The keys of `config.json` that `commonParts` reads, old and new spellings side by side.
  ///
  /// - Parameter kind: What transformers calls the class of the whole model.
  func commonSettings(class kind: String) -> [(String, JSONValue)] {
    func integer(_ value: Int) -> JSONValue { .integer(Int64(value)) }
    return [
      ("architectures", .array([.string(kind)])), ("model_type", .string(architecture)),
      ("hidden_size", integer(width)), ("intermediate_size", integer(mlpWidth)),
      ("num_hidden_layers", integer(layers)), ("num_attention_heads", integer(heads)),
      ("num_key_value_heads", integer(keyHeads)), ("head_dim", integer(headWidth)),
      ("vocab_size", integer(vocabulary)), ("max_position_embeddings", integer(context)),
      ("rms_norm_eps", .number(Double("\(normEpsilon)") ?? Double(normEpsilon))),
      ("rope_theta", .number(ropeTheta)), ("rope_parameters", ropeSettings),
      ("hidden_act", .string("silu")), ("tie_word_embeddings", .bool(isTied)),
      ("dtype", .string("float32")), ("torch_dtype", .string("float32")),
    ]
  }
}
