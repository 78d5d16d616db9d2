/// What a family of models calls its tensors.
package struct TensorNames: Sendable, Equatable {
  package let embedding, finalNorm, head: String
  /// What stands before the number of a block.
  package let blocks: String
  /// The module of each role, within a block.
  package let modules: [TensorRole: String]

  /// The name of a block's tensor.
  func name(_ role: TensorRole, isBias: Bool, layer: Int) -> String {
    "\(blocks)\(layer).\(modules[role] ?? role.rawValue)" + (isBias ? ".bias" : ".weight")
  }
}
