/// What tells kinds of crosscoders apart: what keeps codes sparse, which latents live in which model, and what some of
/// them have to explain besides the activations.
///
/// All but the first are about two models, the base first.
package enum CrosscoderVariant: Equatable, Sendable {
  /// A batch keeps its largest scaled scores (Minder et al., 2025, arXiv 2504.02922). Of one model it is an autoencoder.
  case batchTopK
  /// Σ f Σₘ ‖dᵐ‖ is paid for, and all that is above 0 is active (Lindsey et al., 2024). Paid-for latents shrink, and one
  /// that both models have may be written as two, which is why a lean says less than it seems to (Minder et al.).
  case l1(penalty: Float)
  /// Some latents are the base's alone and as many the finetuned model's, which neither read nor write the other (dedicated
  /// feature crosscoder, arXiv 2602.11729).
  ///
  /// - Parameters:
  ///   - share: Of all latents, for each model.
  ///   - sparsity: How many of each model's own are active in a row, on average: below 1 where what is in one model alone is
  ///     rare, or else they take what is common.
  case dedicated(share: Double, sparsity: Double)
  /// Some latents have a sparsity of their own, and have to explain the difference of the models by themselves (delta
  /// crosscoder, arXiv 2603.04426).
  ///
  /// - Parameters:
  ///   - share: Of all latents.
  ///   - sparsity: How many of them are active in a row, on average.
  ///   - weight: Of what they leave of the difference, both losses as shares of what there is to explain.
  case delta(share: Double, sparsity: Double, weight: Float)

  func check(models: Int, latents: Int) {
    switch self {
    case .batchTopK, .l1: return
    case .dedicated, .delta:
      precondition(models == 2, "Sides are those of two models")
      precondition(telling(of: latents).lowerBound > 0, "No latents are left to both models")
    }
  }

  /// The latents that live in one model alone, by model; none where all live in both.
  package func exclusive(of latents: Int) -> [Range<Int>] {
    guard case .dedicated(let share, _) = self else { return [] }
    let count = Int(share * Double(latents))
    return [latents - 2 * count..<latents - count, latents - count..<latents]
  }

  /// The latents that explain the models' difference by themselves; empty where none do.
  package func difference(of latents: Int) -> Range<Int> {
    guard case .delta(let share, _, _) = self else { return latents..<latents }
    return latents - Int(share * Double(latents))..<latents
  }

  /// The latents that are to tell of a change.
  package func telling(of latents: Int) -> Range<Int> {
    switch self {
    case .batchTopK, .l1: 0..<latents
    case .dedicated: (exclusive(of: latents).first?.lowerBound ?? latents)..<latents
    case .delta: difference(of: latents)
    }
  }

  /// Latents among which a batch keeps the largest scores.
  func groups(of latents: Int, sparsity: Int) -> [LatentGroup] {
    let told = telling(of: latents)
    let shared = LatentGroup(
      latents: 0..<told.lowerBound, sparsity: Double(sparsity), isAnnealed: true)
    return switch self {
    case .batchTopK, .l1:
      [LatentGroup(latents: 0..<latents, sparsity: Double(sparsity), isAnnealed: true)]
    case .dedicated(_, let own):
      [shared]
        + exclusive(of: latents).map {
          LatentGroup(latents: $0, sparsity: own, isAnnealed: false)
        }
    case .delta(_, let own, _):
      [shared, LatentGroup(latents: told, sparsity: own, isAnnealed: false)]
    }
  }
}

/// Latents of which a batch keeps the largest scores, apart from others.
struct LatentGroup: Equatable {
  let latents: Range<Int>
  /// How many are kept of a row, on average.
  let sparsity: Double
  /// Whether more are kept at first.
  let isAnnealed: Bool
}
