/// How a prior is shared out by rankings: the k-th place of each counts 1 / k.
struct ZipfShares<Item: Hashable> {
  private var shares: [Item: Double] = [:]
  private let count: Int

  /// - Parameters:
  ///   - rankings: The strongest first; what is named again, or is not among all, does not count.
  ///   - all: What may be named.
  init(_ rankings: [[Item]], among all: Set<Item>) {
    count = all.count
    var weights: [Item: Double] = [:], sum = 0.0
    for ranking in rankings {
      var seen: Set<Item> = []
      for item in ranking where all.contains(item) && seen.insert(item).inserted {
        weights[item, default: 0] += 1 / Double(seen.count)
        sum += 1 / Double(seen.count)
      }
    }
    shares = weights.mapValues { $0 / sum }
  }

  /// An item's share of the prior: a part of it is shared evenly by all.
  ///
  /// - Parameter untouched: That part; all of it if nothing is named.
  func share(of item: Item, untouched: Double) -> Double {
    guard !shares.isEmpty else { return 1 / Double(max(1, count)) }
    return untouched / Double(max(1, count)) + (1 - untouched) * (shares[item] ?? 0)
  }
}
