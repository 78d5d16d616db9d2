internal import Worlds
internal import JSON
internal import Tensors
package import Transformers

/// The weights that a plant may change.
package enum TrainedParameters: Sendable, Equatable {
  /// Every tensor of every block; embedding, final norm and unembedding stay.
  case blocks
  /// Every tensor.
  case all
  /// Low-rank updates of every matrix of every block, or of some modules.
  case lora(rank: Int, modules: [String]?)
  /// One vector added to the residual stream before a block.
  case residualBias(before: Int)
  /// The tensors of these modules: a write mask. See `ModuleMask` for their names.
  case modules([String])
  /// A rank-one update, in closed form, of what a module writes with.
  case edit(module: String)

  /// What of a model may change.
  func scope(in model: any LanguageModel) throws -> WriteScope {
    let layout = model.parameters.layout
    let blocks = Set(model.names.blockNames)
    switch self {
    case .blocks: return WriteScope(names: blocks)
    case .all: return WriteScope(names: Set(layout.names))
    case .lora(_, let modules):
      let scope = try modules.map { try ModuleMask.scope($0, in: model).names } ?? blocks
      return WriteScope(names: scope.filter { layout[$0].shape.count == 2 })
    case .residualBias(let layer):
      let bias = model.names.tensor(.down, isBias: true, layer: layer - 1)
      return WriteScope(names: Set([bias].compactMap { $0 }))
    case .modules(let modules): return try ModuleMask.scope(modules, in: model)
    case .edit(let module):
      let names = try ModuleMask.scope([module], in: model).names
      return WriteScope(names: names.intersection(model.names.writers))
    }
  }

  /// The modules that the plant is known to sit in, or nil if it may sit in any block.
  ///
  /// - Parameter layers: Blocks of the model that it is planted in.
  package func sites(layers: Int) -> [ModuleSite]? {
    switch self {
    case .blocks, .all, .lora(_, nil): nil
    case .residualBias(let layer): [.mlp(layer: layer - 1)]
    case .modules(let names), .lora(_, let names?): ModuleMask.sites(names, layers: layers)
    case .edit(let name): ModuleMask.sites([name], layers: layers)
    }
  }

  /// The largest rank that the change of a matrix can have, if it is known.
  package var rank: Int? {
    switch self {
    case .lora(let rank, _): rank
    case .edit: 1
    case .blocks, .all, .residualBias, .modules: nil
    }
  }
}

/// The tensors that may change, and which of their entries if not all.
struct WriteScope {
  var names: Set<String>
  /// 1 where an entry may change, 0 elsewhere; nil if every entry may.
  var mask: Parameters?
}

/// Names of modules in files: `embed`, `blocks.1` (a whole block), `blocks.1.attn`, `blocks.1.mlp`,
/// `blocks.1.attn.2` (one head), `ln_final`, `unembed`.
enum ModuleMask {
  /// Every name that a model with so many blocks and heads has.
  static func names(layers: Int, heads: Int) -> [String] {
    ModuleSite.all(layers: layers).map(\.description)
      + (0..<layers).flatMap { layer in
        ["blocks.\(layer)"] + (0..<heads).map { "blocks.\(layer).attn.\($0)" }
      }
  }

  /// What the modules of these names hold.
  ///
  /// - Throws: `DefinitionError` for a name that the model does not have.
  static func scope(_ modules: [String], in model: any LanguageModel) throws -> WriteScope {
    let shape = model.shape
    let known = names(layers: shape.layers, heads: shape.heads)
    for module in modules where !known.contains(module) {
      throw DefinitionError.unknownName(
        module, kind: "module", nearest: nearest(to: module, among: known))
    }
    let heads = modules.compactMap(head)
    let whole = Set(modules).subtracting(heads.map(\.name))
    let names = model.parameters.layout.names.filter { name in
      let site = model.names.module(of: name)
      return whole.contains(site.description)
        || site.layer.map { whole.contains("blocks.\($0)") } == true
    }
    guard !heads.isEmpty else { return WriteScope(names: Set(names)) }
    return masked(heads, in: model, whole: Set(names))
  }

  /// The modules that names lie in, in the order of the computation.
  static func sites(_ names: [String], layers: Int) -> [ModuleSite] {
    ModuleSite.all(layers: layers).filter { site in
      let module = site.description
      return names.contains { name in
        name == module || name.hasPrefix("\(module).") || site.layer.map { "blocks.\($0)" } == name
      }
    }
  }

  private static func head(_ name: String) -> (name: String, layer: Int, head: Int)? {
    let parts = name.split(separator: ".")
    guard parts.count == 4, let layer = Int(parts[1]), let head = Int(parts[3]) else { return nil }
    return (name, layer, head)
  }

  /// Whole tensors, and of the attention matrices the rows and columns of some heads.
  private static func masked(
    _ heads: [(name: String, layer: Int, head: Int)], in model: any LanguageModel,
    whole: Set<String>
  ) -> WriteScope {
    let shape = model.shape, width = shape.headWidth, group = shape.heads / shape.keyHeads
    var scope = WriteScope(names: whole, mask: Parameters(layout: model.parameters.layout))
    for name in whole {
      scope.mask?[name] = Tensor(repeating: 1, shape: model.parameters.layout[name].shape)
    }
    for (_, layer, head) in heads {
      let query = head * width..<(head + 1) * width
      let key = head / group * width..<(head / group + 1) * width
      open(model.names.tensor(.query, layer: layer), rows: query, &scope)
      open(model.names.tensor(.key, layer: layer), rows: key, &scope)
      open(model.names.tensor(.value, layer: layer), rows: key, &scope)
      open(model.names.tensor(.attentionOutput, layer: layer), columns: query, &scope)
    }
    return scope
  }

  private static func open(
    _ name: String?, rows: Range<Int>? = nil, columns: Range<Int>? = nil,
    _ scope: inout WriteScope
  ) {
    guard let name else { return }
    scope.names.insert(name)
    guard var tensor = scope.mask?[name] else { return }
    for row in rows ?? 0..<tensor.rows {
      for column in columns ?? 0..<tensor.columns { tensor[row, column] = 1 }
    }
    scope.mask?[name] = tensor
  }
}

extension TrainedParameters: CustomStringConvertible {
  package var description: String {
    switch self {
    case .blocks: "all blocks"
    case .all: "everything"
    case .lora(let rank, nil): "LoRA of rank \(rank), all blocks"
    case .lora(let rank, let modules?): "LoRA of rank \(rank), \(modules.joined(separator: ", "))"
    case .residualBias(let layer): "a residual bias before block \(layer)"
    case .modules(let modules): modules.joined(separator: ", ")
    case .edit(let module): "a rank-one edit of \(module)"
    }
  }
}

extension TrainedParameters: Codable {
  private enum CodingKeys: String, CodingKey {
    case scope, lora, residualBias, modules, edit
  }

  package init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    let modules = try container.decodeIfPresent([String].self, forKey: .modules)
    let keys = Set(container.allKeys.map(\.stringValue))
    guard keys.count == 1 || keys == ["lora", "modules"] else {
      throw DefinitionError.invalid(
        file: "organism", path: "parameters",
        reason:
          "has \(keys.sorted().joined(separator: " and ")); one of scope, lora (also with modules), "
          + "residualBias, modules and edit is needed")
    }
    if let rank = try container.decodeIfPresent(Int.self, forKey: .lora) {
      self = .lora(rank: rank, modules: modules)
    } else if let layer = try container.decodeIfPresent(Int.self, forKey: .residualBias) {
      self = .residualBias(before: layer)
    } else if let module = try container.decodeIfPresent(String.self, forKey: .edit) {
      self = .edit(module: module)
    } else if let modules {
      self = .modules(modules)
    } else {
      let scope = try container.decode(String.self, forKey: .scope)
      guard let known = [TrainedParameters.blocks, .all].first(where: { $0.scope == scope }) else {
        throw DefinitionError.invalid(
          file: "organism", path: "parameters.scope", reason: "is '\(scope)', not 'blocks' or 'all'"
        )
      }
      self = known
    }
  }

  private var scope: String? {
    switch self {
    case .blocks: "blocks"
    case .all: "all"
    case .lora, .residualBias, .modules, .edit: nil
    }
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    switch self {
    case .blocks, .all: try container.encode(scope, forKey: .scope)
    case .lora(let rank, let modules):
      try container.encode(rank, forKey: .lora)
      try container.encodeIfPresent(modules, forKey: .modules)
    case .residualBias(let layer): try container.encode(layer, forKey: .residualBias)
    case .modules(let modules): try container.encode(modules, forKey: .modules)
    case .edit(let module): try container.encode(module, forKey: .edit)
    }
  }
}
