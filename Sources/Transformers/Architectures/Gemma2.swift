internal import JSON
internal import Tensors

/// Gemma 2 (Gemma team, 2024): norms before and after each branch, caps, and windows in every other block.
enum Gemma2: Architecture {
  static let name = "gemma2"
  static let hasReorderedHeads = false

  static func parts(_ configuration: PublishedConfiguration) throws -> DecoderParts {
    var parts = try configuration.gemmaParts(Self.self, norms: Norms(areAfter: true))
    parts.attention.softCap = try configuration.cap("attn_logit_softcapping", or: 50)
    parts.logitCap = try configuration.cap("final_logit_softcapping", or: 30)
    parts.attention.local = AttentionParts.Local(
      try configuration.localBlocks(layers: parts.layers) { $0.isMultiple(of: 2) },
      .init(window: try configuration.gemmaWindow(), rotary: parts.attention.reach.rotary))
    return parts
  }

  static func settings(of parts: DecoderParts) -> [(String, JSONValue)] {
    parts.gemmaSettings("Gemma2ForCausalLM")
  }
}

extension PublishedConfiguration {
  /// What the later Gemmas have in common; local blocks are for the caller to name.
  func gemmaParts(_ architecture: any Architecture.Type, norms: Norms) throws -> DecoderParts {
    // transformers' own default is 256, whatever the width: not guessed.
    guard present("head_dim") != nil else { throw fault("head_dim", "is missing") }
    let names = TensorNames.common.calling([
      .attentionPostNorm: "post_attention_layernorm", .mlpNorm: "pre_feedforward_layernorm",
      .mlpPostNorm: "post_feedforward_layernorm",
    ])
    var norms = norms
    norms.kind = .rootMeanSquare(offset: 1)
    var parts = try commonParts(
      architecture, names: names, biases: attentionBiases(), norms: norms, isTied: true)
    parts.mlp.activation = try activation("hidden_activation", or: .geluTanh)
    parts.embeddingScale = Float(parts.width).squareRoot()
    parts.attention.scoreDivisor = try number("query_pre_attn_scalar") ?? 256
    return parts
  }

  /// The window of a Gemma's local blocks; null is none, as if they were global.
  func gemmaWindow() throws -> Int? {
    document["sliding_window"] == nil ? 4096 : try optionalSize("sliding_window")
  }

  /// A cap of logits; null is none.
  func cap(_ key: String, or standard: Double?) throws -> Float? {
    (document[key] == nil ? standard : try number(key)).map { Float($0) }
  }
}

extension DecoderParts {
  /// The settings that `gemmaParts` and the families of it read.
  func gemmaSettings(_ kind: String) -> [(String, JSONValue)] {
    commonSettings(class: kind) + [
      ("hidden_activation", .string(mlp.activation.publishedName)),
      ("query_pre_attn_scalar", .whole(attention.scoreDivisor ?? Double(headWidth))),
      ("sliding_window", attention.local?.reach.window.map { .integer(Int64($0)) } ?? .null),
      ("layer_types", attention.layerTypes(layers)),
      ("attention_bias", .bool(hasBias([.query]))),
      ("attn_logit_softcapping", attention.softCap.map { .shortest($0) } ?? .null),
      ("final_logit_softcapping", logitCap.map { .shortest($0) } ?? .null),
    ]
  }
}

extension JSONValue {
  /// An integer where the number is one: some readers insist on it.
  fileprivate static func whole(_ value: Double) -> JSONValue {
    Int64(exactly: value).map { .integer($0) } ?? .number(value)
  }
}
