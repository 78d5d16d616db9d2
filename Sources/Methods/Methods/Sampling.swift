package import Diffing
package import Tensors
internal import Transformers

/// The black-box baseline: sample from both models and count.
package struct Sampling: DiffingMethod {
  package static let card = MethodCard(
    id: "sampling",
    summary: "Free samples of both models compared by smoothed log-odds: the black-box baseline.",
    source: "Monroe et al., 2008 (log-odds); AuditBench, 2026 (arXiv 2602.22755)",
    questions: [.whether, .what], access: [.sampling],
    magnitude: Magnitude(
      "mean squared z of the log-odds of each token, finetuned samples against the base's",
      unit: "squared standard errors"))

  package init() {}

  package func diff(
    _ pair: ModelPair, on prompts: PromptSet, using generator: inout SeededGenerator
  ) throws -> Evidence {
    let request = try SampleRequest.free(prompts)
    return SampledEvidence(
      pair.samples(.finetuned, request), against: pair.samples(.base, request), of: pair
    ).evidence(excluding: prompts.specialTokens)
  }
}
