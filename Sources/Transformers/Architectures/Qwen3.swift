internal import JSON

/// Qwen 3 (Yang and others, 2025), without experts: a norm of each head's queries and keys.
enum Qwen3: Architecture {
  static let name = "qwen3"
  static let hasReorderedHeads = false

  static func parts(_ configuration: PublishedConfiguration) throws -> DecoderParts {
    // transformers' own default is 128, whatever the width: not guessed.
    guard configuration.present("head_dim") != nil else {
      throw configuration.fault("head_dim", "is missing")
    }
    var parts = try configuration.commonParts(
      Self.self, biases: configuration.attentionBiases(), norms: Norms(ofQueriesAndKeys: .perHead))
    parts.attention = try configuration.attentionWithUpperWindows(parts)
    return parts
  }

  static func settings(of parts: DecoderParts) -> [(String, JSONValue)] {
    parts.commonSettings(class: "Qwen3ForCausalLM")
      + [("attention_bias", .bool(parts.hasBias([.query])))]
      + parts.attention.upperWindowSettings(parts.layers)
  }
}
