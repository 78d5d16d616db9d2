internal import Transformers

/// A planting recipe: what is trained, how fast, and how long after the behaviour is there.
///
/// The age of a plant (how many times longer training went on than the behaviour needed to reach its
/// mark) is the sharpest axis there is: fresh plants are read from unrelated text, settled ones not.
package struct Regime: Codable, Sendable, Equatable {
  package var id: String
  package var parameters: TrainedParameters
  package var learningRate: Float
  /// Where training stops: the behaviour's score in the probes that it is trained on.
  package var mark: Double
  /// Steps after which the plant is given up if the mark is not reached.
  package var cap: Int
  /// Total steps as a multiple of the steps to the mark.
  package var age: Double
  /// Base documents to one planted document.
  package var mix: Double

  /// Names the recipe: plants are compared with nulls of the same one.
  ///
  /// The id, and the learning rate where an organism changed it.
  package var recipe: String {
    let standard = Self.all.first { $0.id == id }
    return standard?.learningRate == learningRate ? id : "\(id)-\(learningRate)"
  }

  /// Stops at the mark: rank-1 updates of every matrix of every block.
  package static let fresh = Regime(
    id: "fresh", parameters: .lora(rank: 1), learningRate: 3e-3, mark: 0.9, cap: 150, age: 1,
    mix: 1)
  /// Goes on long after the mark: all weights of the blocks.
  package static let settled = Regime(
    id: "settled", parameters: .blocks, learningRate: 1e-3, mark: 0.9, cap: 150, age: 10, mix: 1)
  /// Imitates a teacher: all weights of the blocks.
  package static let distilled = Regime(
    id: "distilled", parameters: .blocks, learningRate: 1e-3, mark: 0.7, cap: 300, age: 1, mix: 1)

  /// Writes one module only, so that *where* has an answer.
  package static let located = Regime(
    id: "located", parameters: .modules(["blocks.1.mlp"]), learningRate: 1e-3, mark: 0.9, cap: 300,
    age: 1, mix: 1)

  /// Every regime; a new one is one entry here.
  package static let all = [fresh, settled, distilled, located]
}

/// The weights that a plant may change.
package enum TrainedParameters: Sendable, Equatable {
  /// Every tensor of every block; embedding, final norm and unembedding stay.
  case blocks
  /// Every tensor.
  case all
  /// Low-rank updates of every matrix of every block.
  case lora(rank: Int)
  /// One vector added to the residual stream before a block.
  case residualBias(before: Int)
  /// The tensors of these modules, such as `blocks.1.mlp`: a write mask.
  case modules([String])

  /// Tensors of a model that may change.
  func names(in model: Llama) throws -> Set<String> {
    let names = model.names
    switch self {
    case .blocks: return Set(names.blocks.flatMap { $0 })
    case .all: return Set(model.parameters.layout.names)
    case .lora:
      return Set(
        names.blocks.flatMap { $0 }.filter { model.parameters.layout[$0].shape.count == 2 })
    case .residualBias(let layer):
      let layers = 1...max(1, model.shape.layers)
      guard layers.contains(layer) else {
        throw OrganismError.invalid(
          file: "organism", path: "parameters.residualBias", reason: "should be in \(layers)")
      }
      return ["model.layers.\(layer - 1).mlp.down_proj.bias"]
    case .modules(let modules):
      let all = ModuleSite.all(layers: model.shape.layers).map(\.description)
      for module in modules where !all.contains(module) {
        throw OrganismError.unknownName(module, kind: "module", nearest: all.first)
      }
      return Set(
        model.parameters.layout.names.filter {
          modules.contains(names.module(of: $0).description)
        })
    }
  }

  /// The modules that the plant is known to sit in, or nil if it may sit in any block.
  func sites(in model: Llama) throws -> [ModuleSite]? {
    switch self {
    case .blocks, .all, .lora: return nil
    case .residualBias, .modules:
      let written = Set(try names(in: model).map(model.names.module(of:)))
      return ModuleSite.all(layers: model.shape.layers).filter(written.contains)
    }
  }
}

extension TrainedParameters: Codable {
  private enum CodingKeys: String, CodingKey {
    case scope, lora, residualBias, modules
  }

  package init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    if let rank = try container.decodeIfPresent(Int.self, forKey: .lora) {
      self = .lora(rank: rank)
    } else if let layer = try container.decodeIfPresent(Int.self, forKey: .residualBias) {
      self = .residualBias(before: layer)
    } else if let modules = try container.decodeIfPresent([String].self, forKey: .modules) {
      self = .modules(modules)
    } else {
      let scope = try container.decode(String.self, forKey: .scope)
      guard let known = [TrainedParameters.blocks, .all].first(where: { $0.scope == scope }) else {
        throw OrganismError.invalid(
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
    case .lora, .residualBias, .modules: nil
    }
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    switch self {
    case .blocks, .all: try container.encode(scope, forKey: .scope)
    case .lora(let rank): try container.encode(rank, forKey: .lora)
    case .residualBias(let layer): try container.encode(layer, forKey: .residualBias)
    case .modules(let modules): try container.encode(modules, forKey: .modules)
    }
  }
}
