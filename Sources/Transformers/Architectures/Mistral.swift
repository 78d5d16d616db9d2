internal import JSON

/// Mistral 7B and its like (Jiang and others, 2023): a query sees the last tokens only.
enum Mistral: Architecture {
  static let name = "mistral"
  // llama.cpp converts it as a Llama, under that name.
  static let hasReorderedHeads = true

  static func parts(_ configuration: PublishedConfiguration) throws -> DecoderParts {
    // transformers' own default where the key is missing; null is no window.
    let window =
      configuration.document["sliding_window"] == nil
      ? 4096 : try configuration.optionalSize("sliding_window")
    var parts = try configuration.commonParts(Self.self)
    parts.attention.reach.window = window
    return parts
  }

  static func settings(of parts: DecoderParts) -> [(String, JSONValue)] {
    parts.commonSettings(class: "MistralForCausalLM") + [
      ("sliding_window", parts.attention.reach.window.map { .integer(Int64($0)) } ?? .null)
    ]
  }
}
