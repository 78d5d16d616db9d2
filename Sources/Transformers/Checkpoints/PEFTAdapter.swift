internal import Files
public import Foundation
internal import JSON
internal import Tensors

/// Reads and writes LoRA factors as PEFT does.
public enum PEFTAdapter {
  private static let prefix = "base_model.model."

  /// Writes `adapter_config.json` and `adapter_model.safetensors`.
  ///
  /// - Parameters:
  ///   - lora: The factors.
  ///   - base: Where the base model is, as the configuration should name it.
  ///   - folder: Where to write; replaced as a whole if it is there.
  /// - Throws: `FileError.unwritable`.
  public static func write(_ lora: LoRA, base: String, to folder: URL) throws {
    try AtomicFolder.write(to: folder) { try fill($0, lora, base: base) }
  }

  /// Writes the two files into a folder that is there.
  ///
  /// - Throws: `FileError.unwritable`.
  public static func fill(_ folder: URL, _ lora: LoRA, base: String) throws {
    let text = JSON.text(of: configuration(lora, base: base), layout: .pretty) + "\n"
    try AtomicFolder.write(Data(text.utf8), to: folder.appending(path: "adapter_config.json"))
    let tensors = lora.targets.flatMap { target in
      ["A", "B"].map { factor in
        let entry = lora.factors.layout["\(target).\(factor)"]
        return (
          name: name(target, factor), shape: entry.shape, bytes: lora.factors.bytes(entry.name)
        )
      }
    }
    try AtomicFolder.write(
      Safetensors.data(tensors), to: folder.appending(path: "adapter_model.safetensors"))
  }

  private static func name(_ target: String, _ factor: String) -> String {
    let stem = target.hasSuffix(".weight") ? String(target.dropLast(7)) : target
    return "\(prefix)\(stem).lora_\(factor).weight"
  }

  private static func configuration(_ lora: LoRA, base: String) -> JSONValue {
    // Full module paths: short names would also match blocks that were not adapted.
    let modules = lora.targets.map { JSONValue.string(String($0.dropLast(7))) }
    return .object([
      ("peft_type", .string("LORA")), ("task_type", .string("CAUSAL_LM")),
      ("base_model_name_or_path", .string(base)), ("r", .integer(Int64(lora.rank))),
      ("lora_alpha", .number(Double(lora.alpha))), ("lora_dropout", .number(0)),
      ("target_modules", .array(modules)), ("bias", .string("none")),
      ("fan_in_fan_out", .bool(false)), ("inference_mode", .bool(true)),
    ])
  }

  /// Reads an adapter for a base model.
  ///
  /// - Parameters:
  ///   - folder: Holds `adapter_config.json` and `adapter_model.safetensors`.
  ///   - base: The model that it adapts.
  /// - Returns: The factors; `merged(into:)` applies them.
  /// - Throws: `CheckpointError.badAdapter` for options that change the computation and are not
  ///   supported, and for factors that do not fit the base.
  public static func read(_ folder: URL, base: any LanguageModel) throws -> LoRA {
    let file = "adapter_config.json"
    let document = try JSON.parse(contentsOf: folder.appending(path: file))
    guard document["peft_type"] == .string("LORA") else {
      throw CheckpointError.badAdapter(
        file: file, reason: "only adapters of type LORA are supported")
    }
    for key in ["use_dora", "lora_bias"] where document[key] == .bool(true) {
      throw CheckpointError.badAdapter(file: file, reason: "'\(key)' is not supported")
    }
    for key in ["rank_pattern", "alpha_pattern", "modules_to_save"] {
      switch document[key] {
      case nil, .null: continue
      case .object(let members)? where members.isEmpty: continue
      case .array(let elements)? where elements.isEmpty: continue
      default: throw CheckpointError.badAdapter(file: file, reason: "'\(key)' is not supported")
      }
    }
    guard document["bias"] ?? .string("none") == .string("none") else {
      throw CheckpointError.badAdapter(file: file, reason: "trained biases are not supported")
    }
    guard case .integer(let rank)? = document["r"], rank > 0, rank <= 1 << 16 else {
      throw CheckpointError.badAdapter(file: file, reason: "'r' should be a positive integer")
    }
    let alpha = try alpha(document, rank: Int(rank), file: file)
    return try factors(folder, base: base, rank: Int(rank), alpha: alpha)
  }

  private static func alpha(_ document: JSONValue, rank: Int, file: String) throws -> Float {
    let alpha: Double
    switch document["lora_alpha"] {
    case .integer(let value): alpha = Double(value)
    case .number(let value): alpha = value
    default:
      throw CheckpointError.badAdapter(file: file, reason: "'lora_alpha' should be a number")
    }
    // Rank-stabilised LoRA divides by √rank.
    let stabilised = document["use_rslora"] == .bool(true)
    return Float(stabilised ? alpha * Double(rank).squareRoot() : alpha)
  }

  private static func factors(_ folder: URL, base: any LanguageModel, rank: Int, alpha: Float)
    throws -> LoRA
  {
    let file = "adapter_model.safetensors"
    let tensors = try Safetensors.read(folder.appending(path: file))
    let layout = base.parameters.layout
    let targets = layout.names.filter { tensors[name($0, "A")] != nil }
    guard !targets.isEmpty, tensors.count == 2 * targets.count else {
      throw CheckpointError.badAdapter(
        file: file, reason: "its tensors do not match the base model's modules")
    }
    var lora = LoRA(rank: rank, alpha: alpha, targets: targets, layout: layout)
    for target in targets {
      for factor in ["A", "B"] {
        let entry = lora.factors.layout["\(target).\(factor)"]
        guard let tensor = tensors[name(target, factor)], tensor.shape == entry.shape else {
          throw CheckpointError.badAdapter(
            file: file, reason: "factor \(factor) of '\(target)' should be shaped \(entry.shape)")
        }
        lora.factors[entry.name] = tensor
      }
    }
    return lora
  }
}
