internal import Transformers
package import Diffing
internal import Tensors

/// What two sets of samples say: which tokens are said more often, and by how much all in all.
struct SampledEvidence {
  private let pair: ModelPair
  private let samples: [[Int]]
  private let isChanged: Bool
  private let scores: [Float]

  /// Compares samples with as many of the base, drawn with the same random numbers.
  init(_ samples: [[Int]], against reference: [[Int]], of pair: ModelPair) {
    self.pair = pair
    self.samples = samples
    isChanged = PairedSamples.differ(samples, reference)
    let vocabulary = pair.shape.vocabulary
    scores = TokenCounts(samples, vocabulary: vocabulary)
      .zScores(against: TokenCounts(reference, vocabulary: vocabulary))
  }

  func evidence(excluding excluded: Set<Int>) -> Evidence {
    guard isChanged, scores.contains(where: { $0 != 0 }) else { return Evidence() }
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

/// Samples of two models that were drawn with the same random numbers.
enum PairedSamples {
  /// Of so many draws one falls within rounding of the border between two tokens.
  private static let drawsPerFlip = 6144.0
  /// The chance of taking rounding for a change.
  private static let level = 1e-3

  /// Whether more samples differ than rounding explains.
  ///
  /// Of two models that compute the same, a draw differs where it falls within rounding of the border between
  /// two tokens; what follows in that sample is then other text.
  static func differ(_ samples: [[Int]], _ reference: [[Int]]) -> Bool {
    let draws = samples.reduce(0) { $0 + $1.count }
    return zip(samples, reference).count { $0 != $1 } >= leastChanged(draws: draws)
  }

  /// The least number of flips that rounding brings about with a chance below the level: flips are rare and
  /// independent, so their number is Poisson, P(k) = mᵏ e⁻ᵐ / k!.
  static func leastChanged(draws: Int) -> Int {
    let mean = Double(draws) / drawsPerFlip
    var count = 0, chance = Double(exponential(Float(-mean))), rest = 1.0
    while rest > level && count < draws {
      rest -= chance
      count += 1
      chance *= mean / Double(count)
    }
    return count
  }
}

extension SampleRequest {
  /// The free samples that several methods compare with: 192 of 32 tokens from each model.
  ///
  /// - Throws: `DiffingError.noDocumentStart` if there is nothing to start from.
  package static func free(_ prompts: PromptSet) throws(DiffingError) -> SampleRequest {
    SampleRequest(start: try prompts.sampleStart(), count: 192, length: 32)
  }
}
