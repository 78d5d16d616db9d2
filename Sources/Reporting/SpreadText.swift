internal import Foundation
internal import Statistics

/// A mean with the least and the greatest value, as text.
struct SpreadText {
  private let spread: Spread?
  private let decimals: Int

  init(_ values: [Double], decimals: Int = 2) {
    spread = Spread(values)
    self.decimals = decimals
  }

  /// The mean, and the range in brackets where it is wider than the last decimal; `-` if there is no value.
  var text: String {
    guard let spread else { return "-" }
    let low = number(spread.low), high = number(spread.high)
    return low == high ? mean : "\(mean) (\(low)–\(high))"
  }

  /// The mean alone.
  var mean: String { spread.map { number($0.mean) } ?? "-" }

  private func number(_ value: Double) -> String { Prose.short(value, decimals) }
}
