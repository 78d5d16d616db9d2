package import Tensors
internal import Transformers

/// The black-box baseline: sample from both models and count.
package struct Sampling: DiffingMethod {
  package static let card = MethodCard(
    id: "sampling",
    summary: "Free samples of both models compared by smoothed log-odds: the black-box baseline.",
    source: "Monroe et al., 2008 (log-odds); AuditBench, 2026 (arXiv 2602.22755)",
    questions: [.whether, .what], access: [.sampling])

  package init() {}

  package func diff(
    _ pair: ModelPair, on prompts: PromptPool, using generator: inout SeededGenerator
  ) throws -> Evidence {
    let request = SampleRequest.free(prompts)
    let finetuned = pair.samples(.finetuned, request)
    return SampledEvidence(
      finetuned, against: pair.samples(.base, request), of: pair
    ).evidence(excluding: prompts.specialTokens)
  }
}

/// What two sets of samples say: which tokens are said more often, and by how much all in all.
struct SampledEvidence {
  private let pair: ModelPair
  private let samples: [[Int]]
  private let scores: [Float]

  init(_ samples: [[Int]], against reference: [[Int]], of pair: ModelPair) {
    self.pair = pair
    self.samples = samples
    let vocabulary = pair.shape.vocabulary
    scores = TokenCounts(samples, vocabulary: vocabulary)
      .zScores(against: TokenCounts(reference, vocabulary: vocabulary))
  }

  func evidence(excluding excluded: Set<Int>) -> Evidence {
    guard scores.contains(where: { $0 != 0 }) else { return Evidence() }
    var evidence = Evidence()
    evidence.magnitude = scores.map { Double($0) * Double($0) }.mean
    evidence.tokens = TokenClaim.ranking(scores, excluding: excluded)
    evidence.exhibits = pair.exhibits([
      Exhibit(
        "Samples that hold most of what is said more often",
        .texts(
          samples.map { .init($0, score: $0.map { max(0, scores[$0]) }.mean) }
            .sorted { $0.score > $1.score }.prefix(8).map { $0 }))
    ])
    return evidence
  }
}
