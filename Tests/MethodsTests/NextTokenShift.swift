package import Tensors
import Transformers

package import Diffing

/// The mean change of each token's log-probability.
package struct NextTokenShift: DiffingMethod {
  package static let card = MethodCard(
    id: "next-token-shift", summary: "Mean change of each token's log-probability.",
    source: "an example", questions: [.what], access: [.unrelated, .pool])

  package init() {}

  package func diff(
    _ pair: ModelPair, on prompts: PromptSet, using generator: inout SeededGenerator
  ) throws -> Evidence {
    let indices = prompts.countedTokens
    let change =
      pair.logProbabilities(.finetuned, on: prompts.text, at: indices)
      - pair.logProbabilities(.base, on: prompts.text, at: indices)
    var evidence = Evidence()
    // Models that compute the same still differ by rounding, which is nothing to report.
    guard change.exceedsRounding else { return evidence }
    evidence.tokens = TokenClaim.ranking(change.meanRow.scalars, excluding: prompts.specialTokens)
    return evidence
  }
}
