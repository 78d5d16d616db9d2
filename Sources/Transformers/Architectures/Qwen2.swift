internal import JSON

/// Qwen 2 and 2.5 (Yang and others, 2024): biases behind queries, keys and values.
enum Qwen2: Architecture {
  static let name = "qwen2"
  static let hasReorderedHeads = false

  static func parts(_ configuration: PublishedConfiguration) throws -> DecoderParts {
    var parts = try configuration.commonParts(
      Self.self, biases: Set(DecoderParts.readingRoles))
    parts.attention = try configuration.attentionWithUpperWindows(parts)
    return parts
  }

  static func settings(of parts: DecoderParts) -> [(String, JSONValue)] {
    parts.commonSettings(class: "Qwen2ForCausalLM")
      + parts.attention.upperWindowSettings(parts.layers)
  }
}
