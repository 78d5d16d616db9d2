internal import JSON

/// Qwen 3 (Yang and others, 2025), without experts: a norm of each head's queries and keys.
enum Qwen3: Architecture {
  static let name = "qwen3"
  static let hasReorderedHeads = false

  static func parts(_ configuration: PublishedConfiguration) throws -> DecoderParts {
    if try configuration.flag("use_sliding_window") {
      throw configuration.fault(
        "use_sliding_window", "is true; windows in some blocks only are not supported")
    }
    // transformers' own default, which is no share of the width.
    guard configuration.present("head_dim") != nil else {
      throw configuration.fault("head_dim", "is missing")
    }
    let biased = try configuration.flag("attention_bias")
    return try configuration.commonParts(
      Self.self, biases: biased ? Set(DecoderParts.readingRoles + [.attentionOutput]) : [],
      norms: Norms(ofQueriesAndKeys: .perHead))
  }

  static func settings(of parts: DecoderParts) -> [(String, JSONValue)] {
    parts.commonSettings(class: "Qwen3ForCausalLM") + [
      ("attention_bias", .bool(parts.hasBias([.query]))), ("use_sliding_window", .bool(false)),
    ]
  }
}
