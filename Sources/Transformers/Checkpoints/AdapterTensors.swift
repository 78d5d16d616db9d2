internal import Foundation
internal import JSON
internal import Tensors

/// The tensors of `adapter_model.safetensors`, each with its place in the base.
struct AdapterTensors {
  private let tensors: [any StoredTensor]
  private let path: String

  init(_ url: URL) throws {
    tensors = try Safetensors.open(url)
    path = url.path
  }

  /// The factors, read after all shapes fit.
  ///
  /// - Throws: `CheckpointError`, with the tensor that has no place in the base, or another shape.
  func factors(of base: any LanguageModel, _ options: AdapterOptions) throws -> LoRA {
    let layout = base.parameters.layout
    var places: [Spelling: (target: String, factor: String)] = [:]
    // Norms have no factors, and those of an embedding have names of their own, which are not supported.
    for target in layout.names
    where layout[target].shape.count == 2 && target != base.names.embedding {
      for factor in ["A", "B"] {
        places[Spelling(PEFTAdapter.name(target, factor))] = (target, factor)
      }
    }
    var found: [String: any StoredTensor] = [:]
    for tensor in tensors {
      if let place = places[Spelling(tensor.name)] {
        guard options.selects(PEFTAdapter.module(place.target)) else {
          throw CheckpointError.badAdapter(
            file: path,
            reason:
              "tensor '\(tensor.name)' is of a module that adapter_config.json does not select "
              + "('target_modules', 'exclude_modules', 'layers_to_transform'), so PEFT would not load it"
          )
        }
        found["\(place.target).\(place.factor)"] = tensor
      } else {
        try checkCopy(tensor, of: base)
      }
    }
    let targets = layout.names.filter { found["\($0).A"] != nil || found["\($0).B"] != nil }
    guard !targets.isEmpty else {
      throw CheckpointError.badAdapter(file: path, reason: "it holds no factors")
    }
    try check(found, targets, layout, rank: options.rank)
    var lora = LoRA(rank: options.rank, alpha: options.alpha, targets: targets, layout: layout)
    for (name, tensor) in found { lora.factors[name] = try tensor.read() }
    return lora
  }

  /// Shapes are looked at before memory is asked for.
  private func check(
    _ found: [String: any StoredTensor], _ targets: [String], _ layout: ParameterLayout,
    rank: Int
  ) throws {
    for target in targets {
      let entry = layout[target]
      for (factor, shape) in [("A", [rank, entry.columns]), ("B", [entry.rows, rank])] {
        guard let tensor = found["\(target).\(factor)"] else {
          throw CheckpointError.missingTensor(
            PEFTAdapter.name(target, factor), file: path,
            advice: "Both factors of a module are needed.")
        }
        guard tensor.shape == shape else {
          throw CheckpointError.badTensor(
            tensor.name, file: path,
            reason: "is shaped \(tensor.shape); 'r' and the base ask for \(shape)")
        }
      }
    }
  }

  /// PEFT stores an adapted embedding or head whole beside its factors: it must be the base's own.
  private func checkCopy(_ tensor: any StoredTensor, of base: any LanguageModel) throws {
    let name = tensor.name.replacing(".base_layer", with: "")
    let bare = name.hasPrefix(PEFTAdapter.prefix) ? name.dropFirst(PEFTAdapter.prefix.count) : ""
    guard let entry = base.parameters.layout.find(String(bare)) else {
      throw CheckpointError.badAdapter(
        file: path,
        reason:
          "tensor '\(tensor.name)' belongs to no matrix of the base, or is of a kind that is not "
          + "supported; is it the adapter's own base? Else merge the adapter with PEFT")
    }
    guard tensor.shape == entry.shape, try tensor.read() == base.parameters[entry.name] else {
      throw CheckpointError.badAdapter(
        file: path,
        reason:
          "tensor '\(tensor.name)' replaces the base's, which is not supported; merge the adapter "
          + "with PEFT")
    }
  }
}
