/// How far two lists of numbers are in the same order.
package enum RankCorrelation {
  /// Kendall's tau-b, 1 for one order.
  ///
  /// tau-b = (C − D) / √((P − T₁)(P − T₂)) over all P pairs of items, C in the same order in both lists, D in
  /// opposite ones, T₁ and T₂ tied in one list (Kendall, 1945).
  ///
  /// - Parameter values: An item's number in both lists.
  /// - Returns: Nil if all items of a list tie.
  package static func kendall(_ values: [(Double, Double)]) -> Double? {
    var same = 0.0, first = 0.0, second = 0.0
    for a in values.indices {
      for b in values.indices where b > a {
        let x = sign(values[a].0 - values[b].0), y = sign(values[a].1 - values[b].1)
        same += x * y
        first += x * x
        second += y * y
      }
    }
    return first > 0 && second > 0 ? same / (first * second).squareRoot() : nil
  }

  private static func sign(_ value: Double) -> Double { value > 0 ? 1 : value < 0 ? -1 : 0 }

  /// Spearman's rho: Pearson's correlation of the ranks, tied items sharing the mean of theirs.
  ///
  /// - Parameter values: An item's number in both lists.
  /// - Returns: Nil if all items of a list tie.
  package static func spearman(_ values: [(Double, Double)]) -> Double? {
    let x = ranks(values.map(\.0)), y = ranks(values.map(\.1))
    let middle = Double(values.count + 1) / 2
    func sum(_ a: [Double], _ b: [Double]) -> Double {
      zip(a, b).reduce(0) { $0 + ($1.0 - middle) * ($1.1 - middle) }
    }
    let scale = sum(x, x) * sum(y, y)
    return scale > 0 ? sum(x, y) / scale.squareRoot() : nil
  }

  /// The place of each number among all, 1 for the lowest; equal ones share the mean of theirs.
  package static func ranks(_ values: [Double]) -> [Double] {
    values.map { value in
      let lower = values.count { $0 < value }, equal = values.count { $0 == value }
      return Double(lower) + Double(equal + 1) / 2
    }
  }
}
