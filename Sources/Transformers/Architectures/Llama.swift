internal import JSON

/// Llama 1 to 3 (Touvron and others, 2023), and what follows it exactly, as SmolLM2.
enum Llama: Architecture {
  static let name = "llama"
  static let hasReorderedHeads = true

  static func parts(_ configuration: PublishedConfiguration) throws -> DecoderParts {
    var parts = try configuration.commonParts(Self.self, biases: configuration.attentionBiases())
    if try configuration.flag("mlp_bias") { parts.biases.formUnion(parts.mlpRoles) }
    return parts
  }

  static func settings(of parts: DecoderParts) -> [(String, JSONValue)] {
    parts.commonSettings(class: "LlamaForCausalLM") + [
      ("attention_bias", .bool(parts.hasBias([.query]))),
      ("mlp_bias", .bool(parts.hasBias([.down]))),
    ]
  }
}
