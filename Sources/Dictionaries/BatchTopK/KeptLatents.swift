internal import Tensors

/// A latent that is active in a row.
struct ActiveLatent: Equatable {
  let row, latent: Int
  let value: Float
}

/// Latents of which a batch keeps the most active ones.
struct LatentBudget {
  let latents: Range<Int>
  /// How many are kept over the whole batch.
  let count: Int
  /// A scaled score that is probably below those that are kept, so that few have to be looked at twice.
  var guess: Float = 0
}

/// The latents of a batch that BatchTopK keeps.
struct KeptLatents {
  let entries: [ActiveLatent]
  /// Latents that are kept somewhere.
  let used: [Int]
  /// The least scaled score that is kept.
  let least: Float

  /// - Parameters:
  ///   - activations: Shaped `[rows, latents]`.
  ///   - norms: What each latent's activation is scaled by before it is compared.
  ///   - budget: Which of them are looked at, and how many are kept.
  init(_ activations: Tensor, norms: [Float], _ budget: LatentBudget) {
    func latents(above least: Float) -> ScoredLatents {
      ScoredLatents(activations, norms: norms, of: budget.latents, above: least)
    }
    var scored = latents(above: budget.guess)
    if scored.entries.count < budget.count, budget.guess > 0 { scored = latents(above: 0) }
    let bound = Selection.least(ofLargest: budget.count, of: scored.scores)
    let kept = scored.scores.indices.filter { scored.scores[$0] >= bound }
    entries = kept.map { scored.entries[$0] }
    var isUsed = [Bool](repeating: false, count: norms.count)
    for entry in entries { isUsed[entry.latent] = true }
    used = isUsed.indices.filter { isUsed[$0] }
    least = kept.lazy.map { scored.scores[$0] }.min() ?? 0
  }
}

/// The latents of a batch whose scaled scores exceed some number, and these scores.
private struct ScoredLatents {
  private(set) var entries: [ActiveLatent] = []
  private(set) var scores: [Float] = []

  init(_ activations: Tensor, norms: [Float], of latents: Range<Int>, above least: Float) {
    for row in 0..<activations.rows {
      var place = row * activations.columns + latents.lowerBound
      for latent in latents {
        let value = activations.scalars[place], score = value * norms[latent]
        place += 1
        guard score > least else { continue }
        entries.append(ActiveLatent(row: row, latent: latent, value: value))
        scores.append(score)
      }
    }
  }
}
