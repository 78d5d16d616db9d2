package import Diffing
package import Tensors
internal import Transformers

/// What the base says anyway.
package struct FrequencyDummy: DiffingMethod {
  package static let card = MethodCard.dummy(
    "frequency", "Names the base's likely words, and prompts by their form and its uncertainty.",
    questions: [.what, .when], access: [.unrelated, .pool])

  package init() {}

  package func diff(
    _ pair: ModelPair, on prompts: PromptSet, using generator: inout SeededGenerator
  ) throws -> Evidence {
    let base = pair.logProbabilities(.base, on: prompts.text, at: prompts.readIndices)
    let mean = base.exponentials.meanRow.scalars
    var evidence = Evidence()
    evidence.tokens = TokenClaim.ranking(mean, excluding: prompts.specialTokens)
      .flatMap { claim in
        [1, -1].map { TokenClaim(token: claim.token, score: claim.score, sign: $0) }
      }
    if prompts.access == .pool {
      // Most special tokens first, of as many those whose answer is least certain.
      let text = prompts.text
      let uncertainty = base.rowSums(of: base.exponentials).map { -$0 }
      let most = uncertainty.max() ?? 0
      evidence.inputs = InputClaim.ranking(
        (0..<text.rows).map { row in
          let marks = text.row(row).filter(prompts.specialTokens.contains).count
          return Float(marks) * (most + 1) + uncertainty[row]
        })
    }
    return evidence
  }
}

extension Tensor {
  /// The sum of each row's products with another's.
  fileprivate func rowSums(of other: Tensor) -> [Float] {
    (0..<rows).map { dot(row($0), other.row($0)) }
  }
}
