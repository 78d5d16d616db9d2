package import Diffing
internal import Tensors

/// A method at a level of access, with what it looks at.
package struct AskedMethod {
  package let method: any DiffingMethod
  package let prompts: PromptSet
  package let pair: ModelPair

  package init(method: any DiffingMethod, prompts: PromptSet, pair: ModelPair) {
    self.method = method
    self.prompts = prompts
    self.pair = pair
  }

  package var row: MethodAtAccess { MethodAtAccess(method.card.id, prompts.access) }

  /// What the method answers, and what that took.
  ///
  /// - Parameter seed: Decides what it draws.
  /// - Throws: `DiffingError`.
  package func evidence(seed: UInt64) throws -> (Evidence, Work) {
    var generator = SeededGenerator(
      seed: seed, for: "\(method.card.id) \(prompts.access.rawValue)")
    return try pair.measuring {
      try method.evidence(for: pair, on: prompts, using: &generator)
    }
  }
}
