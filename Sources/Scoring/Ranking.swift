internal import Tensors

/// Statistics of rankings and of scores against nulls.
package enum Ranking {
  /// Precision averaged over the places of the relevant items (average precision).
  ///
  /// - Parameter relevance: Whether each item of a ranking is relevant, the first place first.
  /// - Returns: 1 if all relevant items come first; the base rate, about, for a random ranking; 0 if
  ///   nothing is relevant.
  package static func averagePrecision(_ relevance: [Bool]) -> Double {
    var hits = 0
    var sum = 0.0
    for (index, isRelevant) in relevance.enumerated() where isRelevant {
      hits += 1
      sum += Double(hits) / Double(index + 1)
    }
    return hits > 0 ? sum / Double(hits) : 0
  }

  /// The probability that a positive outranks a negative, ties counted half (AUROC).
  ///
  /// - Returns: 0.5 for a constant score; nil if either side is empty.
  package static func areaUnderCurve(positives: [Double], negatives: [Double]) -> Double? {
    guard !positives.isEmpty, !negatives.isEmpty else { return nil }
    let wins = positives.reduce(0.0) { sum, positive in
      sum
        + negatives.reduce(0.0) { $0 + (positive > $1 ? 1 : positive == $1 ? 0.5 : 0) }
    }
    return wins / Double(positives.count * negatives.count)
  }

  /// Completes a ranking: items that were not claimed follow in an order drawn at random.
  ///
  /// So an empty claim is a random ranking, and no tie is broken in anybody's favour.
  package static func completed(_ claimed: [Int], among items: [Int], seed: UInt64) -> [Int] {
    let known = Set(claimed), valid = Set(items)
    var generator = SeededGenerator(seed: seed, for: "ties")
    let rest = items.filter { !known.contains($0) }
    var seen: Set<Int> = []
    let first = claimed.filter { valid.contains($0) && seen.insert($0).inserted }
    return first + generator.permutation(rest.count).map { rest[$0] }
  }

  /// The mean average precision of random orders.
  ///
  /// (H_N + (R − 1)(N − H_N) / (N − 1)) / N for R relevant items of N, with H_N the harmonic number; their share
  /// alone is too low where they are few.
  package static func averagePrecisionByChance(_ relevant: Int, of count: Int) -> Double {
    guard relevant > 0, count > 0 else { return 0 }
    guard count > 1 else { return 1 }
    let harmonic = (1...count).reduce(0.0) { $0 + 1 / Double($1) }
    let others = Double(relevant - 1) * (Double(count) - harmonic) / Double(count - 1)
    return (harmonic + others) / Double(count)
  }
}
