internal import Foundation
internal import Tensors

/// How far counts are from chance.
package enum Significance {
  /// The log-odds ratio of two counts, half a count added, in standard errors.
  package static func zScore(_ a: Int, of totalA: Int, against b: Int, of totalB: Int) -> Float {
    guard a * totalB != b * totalA else { return 0 }
    func logOdds(_ count: Int, _ total: Int) -> Double {
      logarithm((Double(count) + 0.5) / (Double(total - count) + 0.5))
    }
    let variance = 1 / (Double(a) + 0.5) + 1 / (Double(b) + 0.5)
    return Float((logOdds(a, totalA) - logOdds(b, totalB)) / variance.squareRoot())
  }

  /// How much more often one of two equally likely things happened, in standard errors of chance.
  static func excess(_ count: Int, over other: Int) -> Float {
    count == other ? 0 : Float(count - other) / Float(count + other).squareRoot()
  }

  /// The two-sided p-value of a standard normal z.
  package static func normalTail(_ z: Float) -> Double { erfc(abs(Double(z)) / 2.0.squareRoot()) }

  /// Which hypotheses are rejected at a false-discovery rate (Benjamini & Hochberg, 1995).
  ///
  /// - Parameters:
  ///   - pValues: One a hypothesis.
  ///   - rate: The share of the rejected that may be false, from 0 to 1.
  /// - Returns: Indices of the rejected ones, in order.
  package static func discoveries(_ pValues: [Double], rate: Double) -> [Int] {
    let order = pValues.indices.sorted { (pValues[$0], $0) < (pValues[$1], $1) }
    let last = order.indices.last { place in
      pValues[order[place]] <= rate * Double(place + 1) / Double(order.count)
    }
    return last.map { order[...$0].sorted() } ?? []
  }
}
