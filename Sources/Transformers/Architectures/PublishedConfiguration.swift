package import JSON
internal import Tensors

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

  /// The same without some keys, which the family reads otherwise.
  func without(_ keys: [String]) -> PublishedConfiguration {
    guard case .object(let members) = document else { return self }
    return PublishedConfiguration(.object(members.filter { !keys.contains($0.0) }), file: file)
  }

  /// Anything larger is a damaged file, and would only be found out when memory runs out.
  static let sizeLimit = 1 << 22

  func present(_ key: String) -> JSONValue? {
    guard let value = document[key], value != .null else { return nil }
    return value
  }

  func optionalSize(_ key: String, from least: Int = 1, limit: Int = sizeLimit) throws -> Int? {
    guard let value = present(key) else { return nil }
    guard case .integer(let size) = value, size >= least, size <= limit else {
      throw fault(key, "should be an integer from \(least) to \(limit)")
    }
    return Int(size)
  }

  func size(_ key: String, limit: Int = sizeLimit) throws -> Int {
    guard let size = try optionalSize(key, limit: limit) else { throw fault(key, "is missing") }
    return size
  }

  /// A size by the first of several names that is there.
  func size(_ key: String, alias: String, limit: Int = sizeLimit) throws -> Int {
    try present(key) == nil && present(alias) != nil
      ? size(alias, limit: limit) : size(key, limit: limit)
  }

  /// Refuses heads of no whole width.
  func requireHeads(_ heads: Int, dividing width: Int, _ key: String) throws {
    guard width % heads == 0 else {
      throw fault(key, "is \(heads), which does not divide a width of \(width)")
    }
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

  func flag(_ key: String, or standard: Bool = false) throws -> Bool {
    switch present(key) {
    case nil: return standard
    case .bool(let bool): return bool
    default: throw fault(key, "should be true or false")
    }
  }

  /// What neurons do, by the names that transformers has for it.
  func activation(_ key: String, or standard: Activation) throws -> Activation {
    guard let value = present(key) else { return standard }
    guard case .string(let name) = value, let activation = Activation(published: name) else {
      throw fault(
        key,
        "is not supported; only \(Activation.published.map(\.name).joined(separator: ", ")) are")
    }
    return activation
  }

  func normEpsilon(_ key: String, or standard: Double) throws -> Float {
    let epsilon = try number(key) ?? standard
    guard epsilon < 1, Float(epsilon) > 0 else { throw fault(key, "should be below 1") }
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
    for key in ["use_bidirectional_attention", "add_cross_attention"] where try flag(key) {
      throw fault(key, "is true; only causal attention is supported")
    }
    if present("transformers_weights") != nil {
      throw fault(
        "transformers_weights", "names another file, which is not supported; rename that file")
    }
    if case .object(let members)? = present("pruned_heads"), !members.isEmpty {
      throw fault("pruned_heads", "is not supported")
    }
  }
}

extension Activation {
  /// What transformers calls each, the name that is written first.
  fileprivate static let published: [(name: String, activation: Activation)] = [
    ("silu", .silu), ("swish", .silu), ("gelu_pytorch_tanh", .geluTanh), ("gelu_new", .geluTanh),
    ("gelu_fast", .geluTanh), ("gelu", .gelu), ("relu", .relu),
  ]

  fileprivate init?(published name: String) {
    guard let known = Self.published.first(where: { $0.name == name }) else { return nil }
    self = known.activation
  }

  /// The name that transformers reads.
  var publishedName: String {
    Self.published.first { $0.activation == self }?.name ?? rawValue
  }
}
