internal import Tensors

/// A mean with the least and the greatest value.
package struct Spread: Sendable, Equatable {
  package let mean: Double
  package let low: Double
  package let high: Double

  /// Nil if there is no value.
  package init?(_ values: [Double]) {
    guard let low = values.min(), let high = values.max() else { return nil }
    mean = values.reduce(0, +) / Double(values.count)
    self.low = low
    self.high = high
  }
}
