/// Points of a line, of which only some are measured where all would cost too much: evenly spaced ones first, then
/// the middles of those spans over which a figure moves most.
struct CoarseToFine<Value> {
  /// The points that were measured, in order, with what was found there.
  let measured: [(point: Int, value: Value)]

  /// Measures points.
  ///
  /// - Parameters:
  ///   - count: How many points the line has.
  ///   - most: How many are measured at most; at least two.
  ///   - height: The figure whose steps are looked into.
  ///   - measure: Measures points, several at a time.
  init(
    of count: Int, most: Int, by height: (Value) -> Float, measure: ([Int]) throws -> [Value]
  ) rethrows {
    precondition(most >= 2, "a line has two ends")
    var known: [Int: Value] = [:]
    var next = most < count ? Self.even(most / 2 + 1, of: count) : Array(0..<count)
    while !next.isEmpty {
      for (point, value) in zip(next, try measure(next)) { known[point] = value }
      let left = most - known.count
      next = Self.middles(known.mapValues(height)).prefix((left + 1) / 2).sorted()
    }
    measured = known.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
  }

  /// A figure at every point: between two that were measured it lies on the straight line.
  func straightened<Figure: BinaryFloatingPoint>(_ figure: (Value) -> Figure) -> [Figure] {
    guard let first = measured.first else { return [] }
    return zip(measured, measured.dropFirst()).reduce(into: [figure(first.value)]) { line, span in
      let (low, high) = (figure(span.0.value), figure(span.1.value))
      let steps = span.1.point - span.0.point
      line += (1..<steps).map { low + (high - low) * Figure($0) / Figure(steps) } + [high]
    }
  }

  /// Points from the first to the last, as far apart as whole numbers allow.
  private static func even(_ number: Int, of count: Int) -> [Int] {
    (0..<number).map { $0 * (count - 1) / (number - 1) }
  }

  /// The middles of the spans between known points, those with the largest step first.
  private static func middles(_ heights: [Int: Float]) -> [Int] {
    let points = heights.keys.sorted()
    return zip(points, points.dropFirst()).filter { $1 - $0 > 1 }
      .map { (middle: ($0 + $1) / 2, step: abs((heights[$1] ?? 0) - (heights[$0] ?? 0))) }
      .sorted { ($0.step, $1.middle) > ($1.step, $0.middle) }.map(\.middle)
  }
}
