internal import Foundation
internal import JSON

extension PublishedConfiguration {
  /// Reads `rope_parameters` (new), `rope_scaling` and `rope_theta` (old).
  ///
  /// Tools for both versions of transformers write the first two side by side, and which one wins depends
  /// on the version: so both must say the same.
  ///
  /// - Parameter outer: The base of the frequencies where these name none; `rope_theta` if nil.
  func rotaryPositions(theta outer: Double? = nil) throws -> RotaryPositions {
    let theta = try outer ?? number("rope_theta") ?? 10_000
    let found = try ["rope_parameters", "rope_scaling"].compactMap { key in
      try positions(in: key, or: theta)
    }
    return try agreed(found) ?? RotaryPositions(theta: theta)
  }

  /// What all of several places say, if they say anything.
  func agreed(_ found: [RotaryPositions]) throws -> RotaryPositions? {
    guard let first = found.first, let last = found.last, first != last else { return found.first }
    throw fault("rope_scaling", "asks for \(last), but rope_parameters for \(first)")
  }

  private func positions(in key: String, or outer: Double) throws -> RotaryPositions? {
    guard let object = present(key) else { return nil }
    guard case .object(let members) = object else { throw fault(key, "should be an object") }
    for (name, value) in members {
      if case .object = value {
        throw fault(
          "\(key).\(name)", "asks for positions by kind of layer, which this family does not have")
      }
    }
    return try positions(object, key, or: outer)
  }

  /// The positions of one object; `outer` is the base of its frequencies if it names none.
  func positions(_ object: JSONValue, _ key: String, or outer: Double) throws -> RotaryPositions {
    RotaryPositions(
      theta: try number("rope_theta", in: object) ?? outer, scaling: try scaling(object, key))
  }

  /// The share of a head's numbers that are rotated, as the positions' own settings say.
  func rotaryShare() throws -> Double? {
    let places = ["rope_parameters", "rope_scaling"].compactMap(present)
    return try places.lazy.compactMap { try number("partial_rotary_factor", in: $0) }.first
  }

  /// The blocks whose attention is local: those of `layer_types`, or what files without it mean.
  func localBlocks(layers: Int, or isLocal: (Int) -> Bool) throws -> Set<Int> {
    guard let value = present("layer_types") else { return Set((0..<layers).filter(isLocal)) }
    guard case .array(let types) = value, types.count == layers else {
      throw fault("layer_types", "should be a list of \(layers), one a block")
    }
    for type in types where type != .string("full_attention") && type != .localAttention {
      throw fault("layer_types", "should hold 'full_attention' and 'sliding_attention' only")
    }
    return Set((0..<layers).filter { types[$0] == .localAttention })
  }

  private func scaling(_ object: JSONValue, _ key: String) throws -> RotaryScaling {
    let kind = ["rope_type", "type"].lazy.compactMap { object[$0] }.first { $0 != .null }
    func needed(_ name: String) throws -> Double {
      guard let value = try number(name, in: object) else {
        throw fault("\(key).\(name)", "is missing")
      }
      return value
    }
    switch kind {
    case nil, .string("default"): return .none
    case .string("linear"): return .linear(factor: try needed("factor"))
    case .string("llama3"):
      return .byWavelength(
        factor: try needed("factor"), low: try needed("low_freq_factor"),
        high: try needed("high_freq_factor"),
        originalContext: try originalContext(object, key))
    case .string("yarn"): return try yarn(object, key, factor: needed("factor"))
    default:
      throw fault(
        "\(key).rope_type",
        "asks for scaled positions of a kind that is not supported; default, linear, "
          + "llama3 and yarn are")
    }
  }

  /// The context that positions are stretched from.
  private func originalContext(_ object: JSONValue, _ key: String) throws -> Double {
    let context = try optionalSize("max_position_embeddings").map { Double($0) }
    guard let original = try number("original_max_position_embeddings", in: object) ?? context
    else { throw fault("\(key).original_max_position_embeddings", "is missing") }
    return original
  }

  private func yarn(_ object: JSONValue, _ key: String, factor: Double) throws -> RotaryScaling {
    func logarithmic(_ scale: Double) -> Double {
      factor <= 1 ? 1 : 0.1 * scale * log(factor) + 1
    }
    /// 0 is as good as nothing.
    func scale(_ name: String) throws -> Double? {
      [.integer(0), .number(0)].contains(object[name]) ? nil : try number(name, in: object)
    }
    let attention: Double
    if let given = try number("attention_factor", in: object) {
      attention = given
    } else if let own = try scale("mscale"), let all = try scale("mscale_all_dim") {
      attention = logarithmic(own) / logarithmic(all)
    } else {
      attention = logarithmic(1)
    }
    let original = try originalContext(object, key)
    return .byTurns(
      factor: factor, fast: try number("beta_fast", in: object) ?? 32,
      slow: try number("beta_slow", in: object) ?? 1, originalContext: original,
      attention: attention, truncates: object["truncate"] != .bool(false))
  }
}

extension JSONValue {
  fileprivate static let localAttention = JSONValue.string("sliding_attention")
}

extension AttentionParts {
  /// The kind of attention of each block, as `layer_types` has it.
  func layerTypes(_ layers: Int) -> JSONValue {
    .array(
      (0..<layers).map {
        local?.blocks.contains($0) == true ? .localAttention : .string("full_attention")
      })
  }
}

extension RotaryPositions {
  /// The positions as `rope_parameters` has them.
  ///
  /// - Parameter share: The share of a head's numbers that are rotated; not said if nil.
  func settings(share: Double? = nil) -> JSONValue {
    let named: [(String, JSONValue)] = [
      ("rope_type", .string(scaling.publishedName)), ("rope_theta", .number(theta)),
    ]
    return .object(
      named + scaling.settings + (share.map { [("partial_rotary_factor", .number($0))] } ?? []))
  }
}

extension RotaryScaling {
  fileprivate var publishedName: String {
    switch self {
    case .none: "default"
    case .linear: "linear"
    case .byWavelength: "llama3"
    case .byTurns: "yarn"
    }
  }

  fileprivate var settings: [(String, JSONValue)] {
    switch self {
    case .none: return []
    case .linear(let factor): return [("factor", .number(factor))]
    case .byWavelength(let factor, let low, let high, let context):
      return [
        ("factor", .number(factor)), ("low_freq_factor", .number(low)),
        ("high_freq_factor", .number(high)), ("original_max_position_embeddings", .number(context)),
      ]
    case .byTurns(let factor, let fast, let slow, let context, let attention, let truncates):
      return [
        ("factor", .number(factor)), ("beta_fast", .number(fast)), ("beta_slow", .number(slow)),
        ("original_max_position_embeddings", .number(context)),
        ("attention_factor", .number(attention)), ("truncate", .bool(truncates)),
      ]
    }
  }
}
