package import Diffing
package import Tensors
internal import Transformers

/// The mean activation difference, sent through the rest of the base.
///
/// At half depth of a real model no lens reads the mean difference: its directions are not those of the
/// unembedding yet. So it is added to the base's stream after each readable block, and what the base then says is
/// compared with what it says anyway.
package struct ForwardLens: DiffingMethod {
  package static let card = MethodCard(
    id: "forward-lens",
    summary: "The mean difference added to the base's stream, and how the base's answers change.",
    source: "after Minder et al., 2025 (arXiv 2510.13900), whose lens reads the last blocks alone",
    questions: [.whether, .what, .how], access: [.unrelated, .pool],
    magnitude: Magnitude(
      "mean Jensen-Shannon divergence of the base's answers with the mean difference added, mean over readable blocks",
      unit: "nats"))

  /// Positions of each row that the mean is taken over, counted from 0 at the row's first token.
  package var positions = 1...16
  /// Rows that the base reads again for each block.
  package var rows = 16

  package init() {}

  package func diff(
    _ pair: ModelPair, on prompts: PromptSet, using generator: inout SeededGenerator
  ) throws -> Evidence {
    let differences = MeanDifference.readable(
      pair, on: prompts.text, at: prompts.countedTokens(at: positions).flatMap { $0 })
    guard !differences.isEmpty else { return Evidence() }
    let read = prompts.with(rows: prompts.answeredRows(rows, of: pair))
    let answers = AddedDifference(pair.base, read, answering: true)
    let shifts = answers.shifts(of: differences)
    var evidence = Evidence()
    evidence.magnitude = shifts.map(\.divergence).mean
    let rankings = shifts.map {
      TokenClaim.ranking($0.byToken, excluding: prompts.specialTokens)
    }
    evidence.tokens = TokenClaim.roundRobin(rankings)
    evidence.interventions = differences.compactMap(\.steering)
    evidence.exhibits = pair.exhibits([
      differences.exhibit("Tokens that the mean difference makes likelier", rankings)
    ])
    return evidence
  }
}
