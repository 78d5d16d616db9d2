package import JSON

extension LlamaConfiguration {
  /// Reads `config.json`.
  ///
  /// - Parameters:
  ///   - document: The file's tree; keys that do not concern the computation are ignored.
  ///   - file: The name that errors mention.
  /// - Throws: `CheckpointError.badConfiguration`. Nothing that decides the computation is guessed:
  ///   transformers' own default of 32 blocks would hide a missing `num_hidden_layers`.
  package init(huggingFace document: JSONValue, file: String) throws {
    let reader = ConfigurationReader(document: document, file: file)
    let heads = try reader.size("num_attention_heads")
    let width = try reader.size("hidden_size")
    let headWidth = try reader.optionalSize("head_dim") ?? width / heads
    let keyHeads = try reader.optionalSize("num_key_value_heads") ?? heads
    guard heads % keyHeads == 0 else {
      throw reader.fault(
        "num_key_value_heads", "is \(keyHeads), which does not divide \(heads) heads")
    }
    guard headWidth > 0, headWidth % 2 == 0 else {
      throw reader.fault("head_dim", "is \(headWidth); rotary positions need an even width")
    }
    guard heads * headWidth <= ConfigurationReader.sizeLimit else {
      throw reader.fault("head_dim", "is \(headWidth), which \(heads) heads make impossibly wide")
    }
    try reader.require("hidden_act", among: ["silu", "swish"])
    try reader.refuseWhatIsUnknown()
    self.init(
      vocabulary: try reader.size("vocab_size"), width: width,
      layers: try reader.size("num_hidden_layers", limit: 4096), heads: heads,
      keyHeads: keyHeads, headWidth: headWidth, mlpWidth: try reader.size("intermediate_size"),
      context: try reader.optionalSize("max_position_embeddings") ?? 2048,
      normEpsilon: try reader.normEpsilon(),
      ropeTheta: try reader.ropeTheta(),
      isTied: try reader.flag("tie_word_embeddings"),
      hasAttentionBias: try reader.flag("attention_bias"),
      hasMLPBias: try reader.flag("mlp_bias"))
  }

  /// `config.json` as transformers reads it, old and new spellings side by side.
  package var huggingFaceConfiguration: JSONValue {
    func integer(_ value: Int) -> JSONValue { .integer(Int64(value)) }
    return .object([
      ("architectures", .array([.string("LlamaForCausalLM")])), ("model_type", .string("llama")),
      ("hidden_size", integer(width)), ("intermediate_size", integer(mlpWidth)),
      ("num_hidden_layers", integer(layers)), ("num_attention_heads", integer(heads)),
      ("num_key_value_heads", integer(keyHeads)), ("head_dim", integer(headWidth)),
      ("vocab_size", integer(vocabulary)), ("max_position_embeddings", integer(context)),
      ("rms_norm_eps", .number(Double("\(normEpsilon)") ?? Double(normEpsilon))),
      ("rope_theta", .number(ropeTheta)),
      (
        "rope_parameters",
        .object([("rope_type", .string("default")), ("rope_theta", .number(ropeTheta))])
      ),
      ("hidden_act", .string("silu")), ("tie_word_embeddings", .bool(isTied)),
      ("attention_bias", .bool(hasAttentionBias)), ("mlp_bias", .bool(hasMLPBias)),
      ("dtype", .string("float32")), ("torch_dtype", .string("float32")),
    ])
  }
}

/// Reads the keys of a configuration, each with an error of its own.
private struct ConfigurationReader {
  let document: JSONValue
  let file: String

  func fault(_ key: String, _ reason: String) -> CheckpointError {
    .badConfiguration(key: key, file: file, reason: reason)
  }

  /// Anything larger is a damaged file, and would only be found out when memory runs out.
  static let sizeLimit = 1 << 22

  private func present(_ key: String) -> JSONValue? {
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

  private func number(_ key: String, in object: JSONValue) throws -> Double? {
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

  /// The base of the rotary angles, from `rope_parameters` (new), `rope_scaling` or `rope_theta` (old).
  ///
  /// Tools for both versions of transformers write the first two side by side, and which one wins depends
  /// on the version: so neither may ask for scaling, and both must say the same.
  func ropeTheta() throws -> Double {
    let outer = try number("rope_theta") ?? 10_000
    let thetas = try ["rope_parameters", "rope_scaling"].compactMap { try theta(in: $0, or: outer) }
    guard let first = thetas.first, let last = thetas.last, first != last else {
      return thetas.first ?? outer
    }
    throw fault(
      "rope_scaling", "asks for a rope_theta of \(last), but rope_parameters for \(first)")
  }

  private func theta(in key: String, or outer: Double) throws -> Double? {
    guard let object = present(key) else { return nil }
    guard case .object(let members) = object else { throw fault(key, "should be an object") }
    for spelling in ["rope_type", "type"] {
      guard let kind = object[spelling], kind != .null else { continue }
      guard kind == .string("default") else {
        throw fault("\(key).\(spelling)", "asks for scaled positions, which are not supported")
      }
    }
    for (name, value) in members {
      if case .object = value {
        throw fault(
          "\(key).\(name)", "asks for positions by kind of layer, which are not supported")
      }
    }
    if let share = try number("partial_rotary_factor", in: object), share != 1 {
      throw fault("\(key).partial_rotary_factor", "is \(share); only 1 is supported")
    }
    return try number("rope_theta", in: object) ?? outer
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

extension Llama: CheckpointedModel {
  package init(huggingFace document: JSONValue, file: String) throws {
    self.init(try LlamaConfiguration(huggingFace: document, file: file))
  }
  package var huggingFaceConfiguration: JSONValue { configuration.huggingFaceConfiguration }
  package static func layout(huggingFace document: JSONValue, file: String) throws
    -> ParameterLayout
  {
    try LlamaConfiguration(huggingFace: document, file: file).layout
  }
  package static func names(huggingFace document: JSONValue, file: String) throws
    -> ParameterNames
  {
    try LlamaConfiguration(huggingFace: document, file: file).names
  }
  package static func reorderedHeads(huggingFace document: JSONValue, file: String) throws
    -> (query: Int, key: Int)?
  {
    let configuration = try LlamaConfiguration(huggingFace: document, file: file)
    return (configuration.heads, configuration.keyHeads)
  }
  package static var bodyPrefix: String { "model." }
  package static var adaptedByDefault: [String] { ["q_proj", "v_proj"] }

  package static func copies(in layout: ParameterLayout) -> [String: String] {
    layout.find(LlamaConfiguration.head) == nil
      ? [LlamaConfiguration.head: LlamaConfiguration.embedding] : [:]
  }

  package static func advice(missing name: String, _ document: JSONValue) -> String? {
    guard name == LlamaConfiguration.head, document["tie_word_embeddings"] ?? .null == .null else {
      return nil
    }
    return "It has no 'tie_word_embeddings' either: set it to true if the head is the embedding."
  }
}
