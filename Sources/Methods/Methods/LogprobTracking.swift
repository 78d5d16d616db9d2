package import Diffing
package import Tensors
internal import Transformers

/// How much the log-probabilities of the next token moved after prompts of one word.
///
/// Published as the cheapest test whether a served model is still the same: one prompt, and permutations against the noise of a
/// server. Models at hand have no noise, so every change is seen, and the question is how much larger a plant's is.
package struct LogprobTracking: DiffingMethod {
  package static let card = MethodCard(
    id: "logprob-tracking",
    summary: "Log-probabilities of the likeliest next tokens after prompts of one word.",
    source: "Chauvin et al., 2025 (arXiv 2512.03816)",
    questions: [.whether, .what], access: [.sampling],
    magnitude: Magnitude(
      "mean ∣log p′ − log p∣ of the base's likeliest tokens after one word", unit: "nats"))

  /// Words that are asked at most.
  package var promptCount = 512
  /// Tokens that are tracked after each, the base's likeliest.
  package var tracked = 20

  package init() {}

  package func diff(
    _ pair: ModelPair, on prompts: PromptSet, using generator: inout SeededGenerator
  ) throws -> Evidence {
    let words = pair.words(prompts)
    let asked = generator.permutation(words.count).prefix(promptCount).sorted()
      .map { prompts.opening + [words[$0]] }
    let changes = pair.readingGroups(asked, onlyLast: true).map { tracked(pair, $0) }
    guard changes.contains(where: \.isSeen) else { return Evidence() }
    let mean = changes.reduce(Tensor(shape: [pair.shape.vocabulary])) { $0 + $1.sum }
      .scaled(by: 1 / Float(asked.count))
    let moved = changes.flatMap(\.moved)
    var evidence = Evidence()
    evidence.magnitude = Double(moved.mean)
    evidence.tokens = TokenClaim.ranking(
      centred(mean.scalars), excluding: prompts.specialTokens)
    evidence.exhibits = pair.exhibits([
      .first(
        "Prompts of one word by how far their likeliest tokens moved, nats", of: asked, by: moved)
    ])
    return evidence
  }

  /// What changed after some prompts.
  private struct Tracked {
    /// Of each prompt the mean movement of what is tracked.
    let moved: [Float]
    /// The changes of all log-probabilities, summed over prompts, shaped `[vocabulary]`.
    let sum: Tensor
    let isSeen: Bool
  }

  private func tracked(_ pair: ModelPair, _ rows: [[Int]]) -> Tracked {
    let (base, finetuned) = pair.answers(to: rows)
    let change = finetuned - base, depth = min(max(1, self.tracked), base.columns)
    let moved = (0..<base.rows).map { row in
      let answers = base.row(row), least = BoostCounts.limits(answers, depth: depth).high
      return zip(answers, change.row(row)).filter { $0.0 >= least }.map { abs($0.1) }.mean
    }
    return Tracked(
      moved: moved, sum: change.meanRow.scaled(by: Float(change.rows)),
      isSeen: change.exceedsRounding)
  }
}
