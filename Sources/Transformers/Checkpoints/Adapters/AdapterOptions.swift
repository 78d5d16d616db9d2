internal import Foundation
internal import JSON

/// The options of `adapter_config.json` that decide what an adapter computes.
struct AdapterOptions {
  private let rank: Int
  private let alpha: Double
  private let ranks: [ModulePattern<Int>]
  private let alphas: [ModulePattern<Double>]
  private let isStabilised: Bool
  private let selection: AdapterSelection
  /// Whether each output's length is a number of its own (DoRA; Liu and others, 2024).
  let hasMagnitudes: Bool
  /// Which tokens' rows are replaced, by what the module's name ends with; for the embedding if that is empty.
  let tokens: [(module: String, ids: [Int])]

  /// Options that are read here or that change nothing once an adapter is trained, whatever they say.
  private static let known: Set<Spelling> = Set(
    [
      "peft_type", "task_type", "auto_mapping", "peft_version", "base_model_name_or_path",
      "revision", "inference_mode", "r", "lora_alpha", "use_rslora", "lora_dropout",
      "target_modules", "exclude_modules", "layers_to_transform", "layers_pattern",
      "megatron_core", "runtime_config", "qalora_group_size", "init_lora_weights", "eva_config",
      "lora_ga_config", "rank_pattern", "alpha_pattern", "use_dora", "modules_to_save", "bias",
      "lora_bias", "fan_in_fan_out", "trainable_token_indices", "ensure_weight_tying",
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
    let file = AdapterFile(document, url.path)
    guard case .object(let members) = document else { throw file.fault("it is no object") }
    guard document["peft_type"] == .string("LORA") else {
      throw file.fault("'peft_type' should be LORA; no other kind of adapter is supported")
    }
    for (key, value) in members where !Self.known.contains(Spelling(key)) && !value.saysNothing {
      throw file.fault("'\(key)' is not supported; merge the adapter into its base with PEFT")
    }
    guard Self.starts.contains(document["init_lora_weights"] ?? .null) else {
      throw file.fault("'init_lora_weights' changes the base too; merge the adapter with PEFT")
    }
    rank = try file.rank(document["r"], "r")
    alpha = try file.alpha(document["lora_alpha"], "lora_alpha")
    ranks = try file.patterns("rank_pattern", file.rank)
    alphas = try file.patterns("alpha_pattern", file.alpha)
    isStabilised = try file.flag("use_rslora")
    hasMagnitudes = try file.flag("use_dora")
    tokens = try file.tokens()
    selection = try AdapterSelection(file, for: base)
  }

  /// Whether a module is one that PEFT adapts.
  func selects(_ module: String) -> Bool { selection.holds(module) }

  /// How many rows a module's first factor has.
  func rank(of module: String) -> Int { ranks.first { $0.matches(module) }?.value ?? rank }

  /// What the product of a module's factors is multiplied by; rank-stabilised LoRA divides by √rank.
  func scale(of module: String) -> Float {
    let alpha = alphas.first { $0.matches(module) }?.value ?? alpha, rank = Double(rank(of: module))
    return Float(alpha / (isStabilised ? rank.squareRoot() : rank))
  }
}

/// A value for modules whose name ends with what a regular expression describes.
struct ModulePattern<Value> {
  let value: Value
  private let pattern: Regex<AnyRegexOutput>

  init?(_ pattern: String, _ value: Value) {
    guard let pattern = try? Regex("(?:.*\\.)?(?:\(pattern))") else { return nil }
    self.pattern = pattern
    self.value = value
  }

  func matches(_ module: String) -> Bool { module.wholeMatch(of: pattern) != nil }
}

extension JSONValue {
  /// Whether it is what stands where nobody has chosen anything.
  fileprivate var saysNothing: Bool {
    switch self {
    case .null, .bool(false), .string("none"), .string(""): true
    case .array(let elements): elements.isEmpty
    case .object(let members): members.isEmpty
    default: false
    }
  }
}
