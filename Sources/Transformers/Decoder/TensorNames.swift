/// What a family of models calls its tensors.
package struct TensorNames: Sendable, Equatable {
  package var embedding, finalNorm, head: String
  /// The name of learned positions, where there are any.
  package var positions: String
  /// What stands before the number of a block.
  package var blocks: String
  /// The module of each role, within a block.
  package var modules: [TensorRole: String]
  /// Modules of files that hold other tensors than the decoder has.
  package var stored: [StoredModule]

  package init(
    embedding: String, finalNorm: String, head: String, positions: String = "", blocks: String,
    modules: [TensorRole: String], stored: [StoredModule] = []
  ) {
    self.embedding = embedding
    self.finalNorm = finalNorm
    self.head = head
    self.positions = positions
    self.blocks = blocks
    self.modules = modules
    self.stored = stored
  }

  /// The name of a block's tensor.
  func name(_ role: TensorRole, isBias: Bool, layer: Int) -> String {
    name(modules[role] ?? role.rawValue, isBias: isBias, layer: layer)
  }

  /// The name of a tensor of a block's module.
  func name(_ module: String, isBias: Bool, layer: Int) -> String {
    "\(blocks)\(layer).\(module)" + (isBias ? ".bias" : ".weight")
  }

  /// The name of the bias of the final norm.
  var finalNormBias: String { finalNorm.dropLast("weight".count) + "bias" }
}

/// A module of files whose matrix holds several of the decoder's, or its transpose.
package struct StoredModule: Sendable, Equatable {
  /// Its name within a block.
  package let name: String
  /// The decoder's matrices that it holds, their outputs one behind the other.
  package let roles: [TensorRole]
  /// Whether the outputs of the matrices alternate, head by head.
  package let alternatesByHead: Bool
  /// Whether a row is an input, not an output.
  package let isTransposed: Bool

  package init(
    _ name: String, _ roles: [TensorRole], alternatesByHead: Bool = false,
    isTransposed: Bool = false
  ) {
    self.name = name
    self.roles = roles
    self.alternatesByHead = alternatesByHead
    self.isTransposed = isTransposed
  }
}
