package import Diffing
package import Tensors
internal import Transformers

/// The mean activation difference, carried to the last stream by the base's mean Jacobian, and read there.
///
/// What the published lens does to an activation, done to what finetuning changed. Other than the forward lens it
/// asks what an endless small part of the difference would do, so nothing that bends in between tells it.
package struct JacobianLens: DiffingMethod {
  package static let card = MethodCard(
    id: "jacobian-lens",
    summary: "The mean difference times the base's mean Jacobian, read through the logit lens.",
    source: "transformer-circuits.pub, 2026 (jacobian-lens), on differences",
    questions: [.whether, .what, .how], access: [.unrelated, .pool],
    magnitude: Magnitude(
      "‖J · mean of h′ − h‖ / mean ‖last stream‖, mean over readable blocks, J the base's mean Jacobian",
      unit: "share of the stream's norm"))

  /// Positions of each row that the mean is taken over, counted from 0 at the row's first token.
  package var positions = 1...16
  /// Rows that the base reads again for each block.
  package var rows = 16

  package init() {}

  package func diff(
    _ pair: ModelPair, on prompts: PromptSet, using generator: inout SeededGenerator
  ) throws -> Evidence {
    let indices = prompts.countedTokens(at: positions).flatMap { $0 }
    let all = MeanDifference.all(pair, on: prompts.text, at: indices)
    let differences = all.readable
    guard let last = all.last, !differences.isEmpty else { return Evidence() }
    let read = prompts.with(rows: prompts.answeredRows(rows, of: pair))
    let carried = AddedDifference(pair.base, read, answering: false).transported(differences)
    var evidence = Evidence()
    evidence.magnitude = carried.map { Double($0.norm / last.activationNorm) }.mean
    evidence.tokens = Decoding.tokens(along: carried, of: pair, excluding: prompts.specialTokens)
    evidence.interventions = differences.compactMap(\.steering)
    evidence.exhibits = pair.exhibits([
      differences.exhibit(
        "Tokens along the carried difference",
        carried.map {
          Decoding.tokens(along: [$0], of: pair, excluding: prompts.specialTokens) ?? []
        })
    ])
    return evidence
  }
}
