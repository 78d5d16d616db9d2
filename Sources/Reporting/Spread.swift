internal import Foundation

/// A mean with the least and the greatest value.
struct Spread {
  let values: [Double]
  var decimals = 2

  init(_ values: [Double], decimals: Int = 2) {
    self.values = values
    self.decimals = decimals
  }

  /// The mean, and the range in brackets where it is wider than the last decimal; `-` if empty.
  var text: String {
    guard let low = values.min(), let high = values.max() else { return "-" }
    let mean = number(values.reduce(0, +) / Double(values.count))
    return number(low) == number(high) ? mean : "\(mean) (\(number(low))–\(number(high)))"
  }

  /// The mean alone; `-` if empty.
  var mean: String {
    values.isEmpty ? "-" : number(values.reduce(0, +) / Double(values.count))
  }

  private func number(_ value: Double) -> String {
    var text = String(format: "%.\(decimals)f", value)
    // No minus before a zero, no zero before the point.
    if text.hasPrefix("-"), text.allSatisfy({ "-0.".contains($0) }) { text.removeFirst() }
    return text.hasPrefix("0.") ? String(text.dropFirst()) : text
  }
}

/// A row of bars for numbers from 0 to 1.
struct Sparkline {
  let text: String

  private static let bars = Array("▁▂▃▄▅▆▇█")
  private static let width = 40

  /// Draws values, thinned out to at most forty.
  init(_ values: [Double]) {
    let stride = max(1, (values.count + Self.width - 1) / Self.width)
    let shown = values.indices.filter { $0 % stride == 0 || $0 == values.count - 1 }
    text = String(
      shown.map { index in
        let place = Int(max(0, min(1, values[index])) * Double(Self.bars.count))
        return Self.bars[min(place, Self.bars.count - 1)]
      })
  }
}
