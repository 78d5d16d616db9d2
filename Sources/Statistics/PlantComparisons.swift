package import Bench

extension TransferMatrix {
  /// The mean score of a student's own behaviour less that of behaviours that others were taught.
  package var contrast: Double {
    let own = rows.indices.map { rows[$0].scores[$0] }
    let others = rows.compactMap(\.others)
    func mean(_ values: [Double]) -> Double {
      values.isEmpty ? 0 : values.reduce(0, +) / Double(values.count)
    }
    return mean(own) - mean(others)
  }
}

extension TaskVectorCosines {
  /// The mean cosine over pairs of plants for which a condition holds, and how many those are.
  package func mean(
    _ condition: (_ a: (family: String, regime: String), _ b: (family: String, regime: String)) ->
      Bool
  ) -> (value: Double, count: Int) {
    var sum = 0.0, count = 0
    for a in names.indices {
      for b in names.indices where b > a && condition(kinds[a], kinds[b]) {
        sum += Double(cosines[a][b])
        count += 1
      }
    }
    return (count > 0 ? sum / Double(count) : 0, count)
  }
}
