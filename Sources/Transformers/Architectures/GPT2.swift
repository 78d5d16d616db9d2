internal import JSON
internal import Tensors

/// GPT-2 (Radford and others, 2019): learned positions, layer norms, and matrices stored with a row an input.
enum GPT2: Architecture {
  static let name = "gpt2"
  static let hasReorderedHeads = false
  static let bodyPrefix = "transformer."
  static let adaptedByDefault = ["c_attn"]
  static let buffers = [".attn.bias", ".attn.masked_bias"]

  private static let names = TensorNames(
    embedding: "transformer.wte.weight", finalNorm: "transformer.ln_f.weight",
    head: "lm_head.weight", positions: "transformer.wpe.weight", blocks: "transformer.h.",
    modules: [
      .attentionNorm: "ln_1", .query: "attn.c_attn.query", .key: "attn.c_attn.key",
      .value: "attn.c_attn.value", .attentionOutput: "attn.c_proj", .mlpNorm: "ln_2",
      .up: "mlp.c_fc", .down: "mlp.c_proj",
    ],
    stored: [
      StoredModule("attn.c_attn", DecoderParts.readingRoles, isTransposed: true),
      StoredModule("attn.c_proj", [.attentionOutput], isTransposed: true),
      StoredModule("mlp.c_fc", [.up], isTransposed: true),
      StoredModule("mlp.c_proj", [.down], isTransposed: true),
    ])

  static func parts(_ configuration: PublishedConfiguration) throws -> DecoderParts {
    let width = try configuration.size("n_embd", alias: "hidden_size")
    let heads = try configuration.size("n_head", alias: "num_attention_heads")
    try configuration.requireHeads(heads, dividing: width, "n_head")
    try configuration.refuseWhatIsUnknown()
    let scales = try configuration.flag("scale_attn_weights", or: true)
    return DecoderParts(
      architecture: name, tensorNames: names, vocabulary: try configuration.size("vocab_size"),
      width: width,
      layers: try configuration.size(
        "n_layer", alias: "num_hidden_layers", limit: 4096), heads: heads,
      mlpWidth: try configuration.optionalSize("n_inner") ?? 4 * width,
      context: try configuration.size("n_positions", alias: "max_position_embeddings"),
      attention: AttentionParts(
        reach: .init(rotary: nil), scoreDivisor: scales ? nil : 1,
        dividesByDepth: try configuration.flag("scale_attn_by_inverse_layer_idx")),
      mlp: MLPParts(
        try configuration.activation("activation_function", or: .geluTanh), isGated: false),
      norms: Norms(
        kind: .layer, epsilon: try configuration.normEpsilon("layer_norm_epsilon", or: 1e-5)),
      hasLearnedPositions: true, isTied: try configuration.flag("tie_word_embeddings", or: true),
      biases: [.query, .key, .value, .attentionOutput, .up, .down])
  }

  static func settings(of parts: DecoderParts) -> [(String, JSONValue)] {
    parts.classSettings("GPT2LMHeadModel") + [
      ("n_embd", .size(parts.width)), ("n_layer", .size(parts.layers)),
      ("n_head", .size(parts.heads)), ("n_inner", .size(parts.mlpWidth)),
      ("n_positions", .size(parts.context)), ("n_ctx", .size(parts.context)),
      ("activation_function", .string(parts.mlp.activation.publishedName)),
      ("layer_norm_epsilon", .shortest(parts.norms.epsilon)),
      ("scale_attn_weights", .bool(parts.attention.scoreDivisor == nil)),
      ("scale_attn_by_inverse_layer_idx", .bool(parts.attention.dividesByDepth)),
    ]
  }
}
