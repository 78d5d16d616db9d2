internal import Foundation
internal import JSON

/// The rotary positions that a configuration asks for.
struct RotaryPositions: Equatable, CustomStringConvertible {
  let theta: Double
  let scaling: RotaryScaling

  var description: String {
    "a rope_theta of \(theta)" + (scaling == .none ? "" : ", stretched by \(scaling)")
  }
}

extension PublishedConfiguration {
  /// Reads `rope_parameters` (new), `rope_scaling` and `rope_theta` (old).
  ///
  /// Tools for both versions of transformers write the first two side by side, and which one wins depends
  /// on the version: so both must say the same.
  func rotaryPositions() throws -> RotaryPositions {
    let theta = try number("rope_theta") ?? 10_000
    let found = try ["rope_parameters", "rope_scaling"].compactMap { key in
      try positions(in: key, or: theta)
    }
    guard let first = found.first, let last = found.last, first != last else {
      return found.first ?? RotaryPositions(theta: theta, scaling: .none)
    }
    throw fault("rope_scaling", "asks for \(last), but rope_parameters for \(first)")
  }

  private func positions(in key: String, or outer: Double) throws -> RotaryPositions? {
    guard let object = present(key) else { return nil }
    guard case .object(let members) = object else { throw fault(key, "should be an object") }
    for (name, value) in members {
      if case .object = value {
        throw fault(
          "\(key).\(name)", "asks for positions by kind of layer, which are not supported")
      }
    }
    if let share = try number("partial_rotary_factor", in: object), share != 1 {
      throw fault("\(key).partial_rotary_factor", "is \(share); only 1 is supported")
    }
    return RotaryPositions(
      theta: try number("rope_theta", in: object) ?? outer, scaling: try scaling(object, key))
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
        originalContext: try needed("original_max_position_embeddings"))
    case .string("yarn"): return try yarn(object, key, factor: needed("factor"))
    default:
      throw fault(
        "\(key).rope_type",
        "asks for scaled positions of a kind that is not supported; default, linear, "
          + "llama3 and yarn are")
    }
  }

  private func yarn(_ object: JSONValue, _ key: String, factor: Double) throws -> RotaryScaling {
    func logarithmic(_ scale: Double) -> Double {
      factor <= 1 ? 1 : 0.1 * scale * log(factor) + 1
    }
    let attention: Double
    if let given = try number("attention_factor", in: object) {
      attention = given
    } else if let scale = try number("mscale", in: object),
      let all = try number("mscale_all_dim", in: object)
    {
      attention = logarithmic(scale) / logarithmic(all)
    } else {
      attention = logarithmic(1)
    }
    let context = try optionalSize("max_position_embeddings").map { Double($0) }
    guard let original = try number("original_max_position_embeddings", in: object) ?? context
    else { throw fault("\(key).original_max_position_embeddings", "is missing") }
    return .byTurns(
      factor: factor, fast: try number("beta_fast", in: object) ?? 32,
      slow: try number("beta_slow", in: object) ?? 1, originalContext: original,
      attention: attention, truncates: object["truncate"] != .bool(false))
  }
}

extension DecoderParts {
  /// The positions as `rope_parameters` has them.
  var ropeSettings: JSONValue {
    func object(_ kind: String, _ settings: [(String, Double)]) -> JSONValue {
      .object(
        [("rope_type", .string(kind)), ("rope_theta", .number(ropeTheta))]
          + settings.map { ($0, .number($1)) })
    }
    switch ropeScaling {
    case .none: return object("default", [])
    case .linear(let factor): return object("linear", [("factor", factor)])
    case .byWavelength(let factor, let low, let high, let context):
      return object(
        "llama3",
        [
          ("factor", factor), ("low_freq_factor", low), ("high_freq_factor", high),
          ("original_max_position_embeddings", context),
        ])
    case .byTurns(let factor, let fast, let slow, let context, let attention, let truncates):
      guard
        case .object(let members) = object(
          "yarn",
          [
            ("factor", factor), ("beta_fast", fast), ("beta_slow", slow),
            ("original_max_position_embeddings", context), ("attention_factor", attention),
          ])
      else { return .null }
      return .object(members + [("truncate", .bool(truncates))])
    }
  }
}
