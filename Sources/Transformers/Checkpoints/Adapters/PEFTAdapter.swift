internal import Files
public import Foundation
internal import JSON
internal import Tensors

/// Reads and writes LoRA factors as PEFT does.
public enum PEFTAdapter {
  static let prefix = "base_model.model."

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

  /// Writes the two files into a folder that is there; numbers that are of 16 bits as such.
  ///
  /// - Throws: `FileError.unwritable`.
  public static func fill(_ folder: URL, _ lora: LoRA, base: String) throws {
    let text = JSON.text(of: configuration(lora, base: base), layout: .pretty) + "\n"
    try AtomicFile.write(Data(text.utf8), to: folder.appending(path: "adapter_config.json"))
    let areHalves = lora.isOfHalves
    let tensors = lora.targets.flatMap { target in
      ["A", "B"].map { factor in
        let entry = lora.factors.layout["\(target).\(factor)"]
        return (
          name: name(target, factor), shape: entry.shape,
          bytes: areHalves
            ? halves(lora.factors[entry.name].scalars) : lora.factors.bytes(entry.name)
        )
      }
    }
    try AtomicFile.write(
      Safetensors.data(tensors, areHalves: areHalves),
      to: folder.appending(path: "adapter_model.safetensors"))
  }

  private static func halves(_ scalars: [Float]) -> [UInt8] {
    scalars.flatMap { scalar in
      let bits = scalar.halfBits
      return [UInt8(truncatingIfNeeded: bits), UInt8(truncatingIfNeeded: bits >> 8)]
    }
  }

  /// The module whose weight a tensor is.
  static func module(_ target: String) -> String {
    target.hasSuffix(".weight") ? String(target.dropLast(7)) : target
  }

  /// What PEFT calls a factor of a tensor.
  static func name(_ target: String, _ factor: String) -> String {
    "\(prefix)\(module(target)).lora_\(factor).weight"
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
  /// LoRA with any ranks and scales, of embedding and head too, rank-stabilised, with lengths of their own (DoRA), with
  /// trained biases, whole modules and tokens' rows beside. Where a base ties head and embedding and the adapter changes
  /// one of them, the other stays, as when PEFT runs the adapter; PEFT's own merge then changes both.
  ///
  /// - Parameters:
  ///   - folder: Holds `adapter_config.json` and `adapter_model.safetensors`.
  ///   - base: The model that it adapts.
  /// - Returns: What it makes of the base, as PEFT computes it.
  /// - Throws: `CheckpointError.badAdapter` for options that are not known to leave the computation alone,
  ///   and for tensors that do not fit the base.
  public static func changes(_ folder: URL, base: any LanguageModel) throws -> AdapterChanges {
    let options = try AdapterOptions(folder.appending(path: "adapter_config.json"), for: base)
    return try AdapterTensors(
      folder.appending(path: "adapter_model.safetensors"), of: base, options
    ).changes()
  }

  /// Reads an adapter that is a plain LoRA of one rank, as `write` writes it.
  ///
  /// - Throws: As `changes` does; `CheckpointError.badAdapter` too if it is more than that.
  public static func read(_ folder: URL, base: any LanguageModel) throws -> LoRA {
    guard let lora = try changes(folder, base: base).lora else {
      throw CheckpointError.badAdapter(
        file: folder.path, reason: "it is no LoRA of one rank and nothing else")
    }
    return lora
  }
}
