internal import JSON
internal import Tensors

/// GPT-NeoX (Black and others, 2022) and Pythia: branches side by side, a part of each head rotated, and one
/// matrix for queries, keys and values, head by head.
enum GPTNeoX: Architecture {
  static let name = "gpt_neox"
  static let hasReorderedHeads = false
  static let bodyPrefix = "gpt_neox."
  static let adaptedByDefault = ["query_key_value"]
  static let buffers = [".attention.bias", ".attention.masked_bias"]

  private static let names = TensorNames(
    embedding: "gpt_neox.embed_in.weight", finalNorm: "gpt_neox.final_layer_norm.weight",
    head: "embed_out.weight", blocks: "gpt_neox.layers.",
    modules: [
      .attentionNorm: "input_layernorm", .query: "attention.query_key_value.query",
      .key: "attention.query_key_value.key", .value: "attention.query_key_value.value",
      .attentionOutput: "attention.dense", .mlpNorm: "post_attention_layernorm",
      .up: "mlp.dense_h_to_4h", .down: "mlp.dense_4h_to_h",
    ],
    stored: [
      StoredModule(
        "attention.query_key_value", DecoderParts.readingRoles, alternatesByHead: true)
    ])

  static func parts(_ configuration: PublishedConfiguration) throws -> DecoderParts {
    let width = try configuration.size("hidden_size")
    let heads = try configuration.size("num_attention_heads")
    try configuration.requireHeads(heads, dividing: width, "num_attention_heads")
    try configuration.refuseWhatIsUnknown()
    return DecoderParts(
      architecture: name, tensorNames: names, vocabulary: try configuration.size("vocab_size"),
      width: width, layers: try configuration.size("num_hidden_layers", limit: 4096),
      heads: heads, mlpWidth: try configuration.size("intermediate_size"),
      context: try configuration.optionalSize("max_position_embeddings") ?? 2048,
      attention: try attention(configuration, headWidth: width / heads),
      mlp: MLPParts(try configuration.activation("hidden_act", or: .gelu), isGated: false),
      norms: Norms(
        kind: .layer, epsilon: try configuration.normEpsilon("layer_norm_eps", or: 1e-5)),
      isParallel: try configuration.flag("use_parallel_residual", or: true),
      isTied: try configuration.flag("tie_word_embeddings"),
      biases: try configuration.attentionBiases(or: true).union([.up, .down]))
  }

  private static func attention(_ configuration: PublishedConfiguration, headWidth: Int) throws
    -> AttentionParts
  {
    // In the order in which transformers looks for it.
    let share =
      try configuration.rotaryShare() ?? configuration.number("rotary_pct")
      ?? configuration.number("partial_rotary_factor") ?? 0.25
    let rotated = Int(Double(headWidth) * share)
    guard rotated <= headWidth, rotated % 2 == 0 else {
      throw configuration.fault(
        "rotary_pct",
        "rotates \(rotated) of \(headWidth) numbers of a head; pairs of them are needed")
    }
    let rotary = try configuration.rotaryPositions(theta: configuration.number("rotary_emb_base"))
    return AttentionParts(reach: .init(rotary: rotary), rotaryWidth: rotated)
  }

  static func settings(of parts: DecoderParts) -> [(String, JSONValue)] {
    let share = Double(2 * parts.rotaryPairs) / Double(parts.headWidth)
    let rotary = parts.attention.reach.rotary ?? RotaryPositions(theta: 10_000)
    return parts.classSettings("GPTNeoXForCausalLM") + [
      ("hidden_size", .size(parts.width)), ("num_hidden_layers", .size(parts.layers)),
      ("num_attention_heads", .size(parts.heads)),
      ("intermediate_size", .size(parts.mlpWidth)),
      ("max_position_embeddings", .size(parts.context)),
      ("hidden_act", .string(parts.mlp.activation.publishedName)),
      ("layer_norm_eps", .shortest(parts.norms.epsilon)),
      ("use_parallel_residual", .bool(parts.isParallel)),
      ("attention_bias", .bool(parts.hasBias([.query]))),
      ("rotary_pct", .number(share)), ("rotary_emb_base", .number(rotary.theta)),
      ("rope_parameters", rotary.settings(share: share)),
    ]
  }
}
