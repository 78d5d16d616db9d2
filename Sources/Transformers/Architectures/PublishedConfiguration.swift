package import JSON

/// A `config.json` whose keys are read one by one, each with an error of its own.
package struct PublishedConfiguration: Sendable {
  let document: JSONValue
  let file: String

  /// - Parameters:
  ///   - document: The file's tree; keys that do not concern the computation are ignored.
  ///   - file: The name that errors mention.
  package init(_ document: JSONValue, file: String) {
    (self.document, self.file) = (document, file)
  }

  func fault(_ key: String, _ reason: String) -> CheckpointError {
    .badConfiguration(key: key, file: file, reason: reason)
  }

  /// Anything larger is a damaged file, and would only be found out when memory runs out.
  static let sizeLimit = 1 << 22

  func present(_ key: String) -> JSONValue? {
    guard let value = document[key], value != .null else { return nil }
    return value
  }

  func optionalSize(_ key: String, limit: Int = sizeLimit) throws -> Int? {
    guard let value = present(key) else { return nil }
    guard case .integer(let size) = value, size > 0, size <= limit else {
      throw fault(key, "should be an integer from 1 to \(limit)")
    }
    return Int(size)
  }

  func size(_ key: String, limit: Int = sizeLimit) throws -> Int {
    guard let size = try optionalSize(key, limit: limit) else { throw fault(key, "is missing") }
    return size
  }

  func number(_ key: String) throws -> Double? {
    try number(key, in: document)
  }

  func number(_ key: String, in object: JSONValue) throws -> Double? {
    switch object[key] {
    case nil, .null: return nil
    case .number(let number) where number > 0: return number
    case .integer(let integer) where integer > 0: return Double(integer)
    default: throw fault(key, "should be a positive number")
    }
  }

  func flag(_ key: String) throws -> Bool {
    switch present(key) {
    case nil: return false
    case .bool(let bool): return bool
    default: throw fault(key, "should be true or false")
    }
  }

  func require(_ key: String, among supported: [String]) throws {
    guard let value = present(key) else { return }
    guard case .string(let name) = value, supported.contains(name) else {
      throw fault(key, "is not supported; only \(supported.joined(separator: " or ")) is")
    }
  }

  func normEpsilon() throws -> Float {
    let epsilon = try number("rms_norm_eps") ?? 1e-6
    guard epsilon < 1, Float(epsilon) > 0 else { throw fault("rms_norm_eps", "should be below 1") }
    return Float(epsilon)
  }

  /// Refuses what else changes the computation, or says that the weights are no plain numbers.
  func refuseWhatIsUnknown() throws {
    if let value = present("quantization_config") {
      guard case .object(let members) = value, members.isEmpty else {
        throw fault(
          "quantization_config", "is not supported; save the model in bfloat16 or float32")
      }
    }
    if present("is_causal") == .bool(false) {
      throw fault("is_causal", "is false; only causal attention is supported")
    }
    if present("transformers_weights") != nil {
      throw fault(
        "transformers_weights", "names another file, which is not supported; rename that file")
    }
    if case .object(let members)? = present("pruned_heads"), !members.isEmpty {
      throw fault("pruned_heads", "is not supported")
    }
    if let share = try number("partial_rotary_factor"), share != 1 {
      throw fault("partial_rotary_factor", "is \(share); only 1 is supported")
    }
  }
}
