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
