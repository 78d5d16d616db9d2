internal import JSON

/// Qwen 2 and 2.5 (Yang and others, 2024): biases behind queries, keys and values.
enum Qwen2: Architecture {
  static let name = "qwen2"
  static let hasReorderedHeads = false

  static func parts(_ configuration: PublishedConfiguration) throws -> DecoderParts {
    if try configuration.flag("use_sliding_window") {
      throw configuration.fault(
        "use_sliding_window", "is true; windows in some blocks only are not supported")
    }
    return try configuration.commonParts(Self.self, biases: Set(DecoderParts.readingRoles))
  }

  static func settings(of parts: DecoderParts) -> [(String, JSONValue)] {
    parts.commonSettings(class: "Qwen2ForCausalLM") + [("use_sliding_window", .bool(false))]
  }
}
