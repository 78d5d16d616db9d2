internal import Foundation
internal import Tensors
public import Transformers

/// An edit that should bring the planted behaviour about in the base.
public enum ProposedIntervention: Equatable, Sendable {
  /// Adds a vector to the residual stream after a block, at every token.
  case steer(layer: Int, direction: [Float])
  /// Replaces what a module adds to the stream by the finetuned model's, at every token.
  case patch(ModuleSite)
  /// Replaces the component along a direction of the residual stream after a block by the finetuned
  /// model's, at every token.
  case project(layer: Int, direction: [Float])
  /// Adds changes to tensors of the base.
  case weights([TensorEdit])

  /// Whether its numbers are finite.
  var isFinite: Bool {
    switch self {
    case .steer(_, let direction), .project(_, let direction): direction.allSatisfy(\.isFinite)
    case .patch: true
    case .weights(let edits): edits.allSatisfy(\.isFinite)
    }
  }

  /// What it does, in words.
  public var summary: String {
    switch self {
    case .steer(let layer, let direction):
      "steer after block \(layer) by a vector of length "
        + String(format: "%.4g", Tensor(direction).norm)
    case .project(let layer, _): "set the component along a direction after block \(layer)"
    case .patch(let module): "patch \(module)"
    case .weights(let edits): "change \(edits.count) tensors"
    }
  }
}

extension ProposedIntervention: Codable {
  private enum CodingKeys: String, CodingKey {
    case steer, project, patch, weights
  }

  /// A direction of the residual stream after a block.
  private struct Direction: Codable {
    let layer: Int
    let direction: PackedNumbers
  }

  /// Reads what `encode(to:)` writes.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    if let steer = try container.decodeIfPresent(Direction.self, forKey: .steer) {
      self = .steer(layer: steer.layer, direction: steer.direction.values)
    } else if let project = try container.decodeIfPresent(Direction.self, forKey: .project) {
      self = .project(layer: project.layer, direction: project.direction.values)
    } else if let module = try container.decodeIfPresent(ModuleSite.self, forKey: .patch) {
      self = .patch(module)
    } else {
      self = .weights(try container.decode([TensorEdit].self, forKey: .weights))
    }
  }

  /// Writes it as `Fixtures/evidence.schema.json` describes.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    switch self {
    case .steer(let layer, let direction):
      try container.encode(
        Direction(layer: layer, direction: PackedNumbers(direction)), forKey: .steer)
    case .project(let layer, let direction):
      try container.encode(
        Direction(layer: layer, direction: PackedNumbers(direction)), forKey: .project)
    case .patch(let module): try container.encode(module, forKey: .patch)
    case .weights(let edits): try container.encode(edits, forKey: .weights)
    }
  }
}
