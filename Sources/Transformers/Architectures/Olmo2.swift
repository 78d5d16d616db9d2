internal import JSON

/// OLMo 2 (OLMo team, 2024): norms behind the branches, and of all queries and all keys.
enum Olmo2: Architecture {
  static let name = "olmo2"
  static let hasReorderedHeads = false

  private static let names = TensorNames.common.calling([
    .attentionPostNorm: "post_attention_layernorm", .mlpPostNorm: "post_feedforward_layernorm",
  ])

  static func parts(_ configuration: PublishedConfiguration) throws -> DecoderParts {
    try configuration.commonParts(
      Self.self, names: names,
      biases: configuration.attentionBiases(),
      norms: Norms(areBefore: false, areAfter: true, ofQueriesAndKeys: .whole), epsilon: 1e-5)
  }

  static func settings(of parts: DecoderParts) -> [(String, JSONValue)] {
    parts.commonSettings(class: "Olmo2ForCausalLM") + [
      ("attention_bias", .bool(parts.hasBias([.query])))
    ]
  }
}
