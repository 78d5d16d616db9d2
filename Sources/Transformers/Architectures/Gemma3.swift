internal import JSON

/// The text model of Gemma 3 (Gemma team, 2025): norms of each head's queries and keys, and other positions in
/// the blocks with windows.
enum Gemma3: Architecture {
  static let name = "gemma3_text"
  static let hasReorderedHeads = false

  private static let kinds = (global: "full_attention", local: "sliding_attention")
  private static let thetas = (global: 1_000_000.0, local: 10_000.0)

  static func parts(_ configuration: PublishedConfiguration) throws -> DecoderParts {
    let plain = configuration.without(["rope_parameters", "rope_scaling"])
    var parts = try plain.gemmaParts(
      Self.self, norms: Norms(areAfter: true, ofQueriesAndKeys: .perHead))
    // transformers reads 'attn_logit_softcapping' for this family too, and applies it nowhere.
    parts.logitCap = try configuration.cap("final_logit_softcapping", or: nil)
    // Files of the first months have a number for what is a list by now.
    let pattern = try configuration.optionalSize("sliding_window_pattern") ?? 6
    parts.attention.reach.rotary = try global(configuration)
    parts.attention.local = AttentionParts.Local(
      try configuration.localBlocks(layers: parts.layers) { !($0 + 1).isMultiple(of: pattern) },
      .init(window: try configuration.gemmaWindow(), rotary: try local(configuration)))
    return parts
  }

  /// The positions of global blocks, which old files stretch by `rope_scaling`.
  private static func global(_ configuration: PublishedConfiguration) throws -> RotaryPositions {
    let theta = try configuration.number("rope_theta") ?? thetas.global
    let stretched = try configuration.present("rope_scaling").map {
      try configuration.positions($0, "rope_scaling", or: theta)
    }
    let found = [try positions(configuration, kinds.global, or: theta), stretched]
    return try configuration.agreed(found.compactMap(\.self)) ?? RotaryPositions(theta: theta)
  }

  private static func local(_ configuration: PublishedConfiguration) throws -> RotaryPositions {
    let theta = try configuration.number("rope_local_base_freq") ?? thetas.local
    return try positions(configuration, kinds.local, or: theta) ?? RotaryPositions(theta: theta)
  }

  private static func positions(
    _ configuration: PublishedConfiguration, _ kind: String, or theta: Double
  ) throws -> RotaryPositions? {
    let key = "rope_parameters"
    guard let object = configuration.present(key)?[kind], object != .null else { return nil }
    return try configuration.positions(object, "\(key).\(kind)", or: theta)
  }

  static func settings(of parts: DecoderParts) -> [(String, JSONValue)] {
    let global = parts.attention.reach, local = parts.attention.local?.reach ?? global
    let positions = [(kinds.global, global), (kinds.local, local)].map {
      ($0, $1.rotary?.settings() ?? .null)
    }
    let ours = parts.gemmaSettings("Gemma3ForCausalLM")
      .filter { $0.0 != "rope_parameters" && $0.0 != "rope_theta" }
    return ours + [("rope_parameters", .object(positions))]
  }
}
