internal import Foundation
internal import JSON

/// The options of `adapter_config.json` that decide what an adapter computes.
struct AdapterOptions {
  let rank: Int
  /// The scale times the rank.
  let alpha: Float
  private let selection: AdapterSelection

  /// Options that change nothing once an adapter is trained, whatever they say.
  private static let harmless: Set<Spelling> = Set(
    [
      "peft_type", "task_type", "auto_mapping", "peft_version", "base_model_name_or_path",
      "revision",
      "inference_mode", "r", "lora_alpha", "use_rslora", "lora_dropout", "target_modules",
      "exclude_modules", "layers_to_transform", "megatron_core", "runtime_config",
      "qalora_group_size", "init_lora_weights", "eva_config", "lora_ga_config",
    ].map { Spelling($0) })

  /// Ways to start that leave the base as it is; others move a part of the base's weights into the factors.
  private static let starts: [JSONValue] = [
    .null, .bool(true), .bool(false), .string("gaussian"), .string("eva"), .string("orthogonal"),
  ]

  /// Reads the options.
  ///
  /// - Throws: `JSONError` or `CheckpointError.badAdapter`; an option that is not known must be empty.
  init(_ url: URL, for base: any LanguageModel) throws {
    let document = try JSON.parse(contentsOf: url, named: url.path, isLenient: true)
    func fault(_ reason: String) -> CheckpointError { .badAdapter(file: url.path, reason: reason) }
    guard case .object(let members) = document else { throw fault("it is no object") }
    guard document["peft_type"] == .string("LORA") else {
      throw fault("'peft_type' should be LORA; no other kind of adapter is supported")
    }
    for (key, value) in members
    where !Self.harmless.contains(Spelling(key)) && !Self.isNeutral(value) {
      throw fault("'\(key)' is not supported; merge the adapter into its base with PEFT")
    }
    guard Self.starts.contains(document["init_lora_weights"] ?? .null) else {
      throw fault("'init_lora_weights' changes the base too; merge the adapter with PEFT")
    }
    guard case .integer(let rank)? = document["r"], rank > 0, rank <= 1 << 16 else {
      throw fault("'r' should be a positive integer")
    }
    self.rank = Int(rank)
    let alpha: Double
    switch document["lora_alpha"] {
    case .integer(let value): alpha = Double(value)
    case .number(let value): alpha = value
    default: throw fault("'lora_alpha' should be a number")
    }
    selection = try AdapterSelection(
      document, defaults: Architectures.of(base)?.adaptedByDefault ?? [],
      fault)
    guard [nil, .null, .bool(false), .bool(true)].contains(document["use_rslora"]) else {
      throw fault("'use_rslora' should be true or false")
    }
    // Rank-stabilised LoRA divides by √rank.
    let isStabilised = document["use_rslora"] == .bool(true)
    self.alpha = Float(isStabilised ? alpha * Double(rank).squareRoot() : alpha)
    guard self.alpha.isFinite else { throw fault("'lora_alpha' should be a sensible number") }
  }

  /// Whether a module is one that PEFT adapts.
  func selects(_ module: String) -> Bool { selection.holds(module) }

  /// Whether an option says nothing.
  private static func isNeutral(_ value: JSONValue) -> Bool {
    switch value {
    case .null, .bool(false), .string("none"), .string(""): true
    case .array(let elements): elements.isEmpty
    case .object(let members): members.isEmpty
    default: false
    }
  }
}
