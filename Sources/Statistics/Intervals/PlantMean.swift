internal import Bench

/// A mean over families of a number that is read off plants, with what the plants allow one to say of it.
package struct PlantMean: Sendable {
  package let value: Double
  /// Nil without two clusters.
  package let interval: ConfidenceInterval?
  /// How many plants it is a mean over, bases apart.
  package let count: Int

  /// - Parameters:
  ///   - trials: Planted ones.
  ///   - reading: The number; nil leaves a trial out.
  /// - Returns: Nil if no trial has one.
  init?(_ trials: [Trial], _ reading: (Trial) -> Double?) {
    let read = trials.compactMap { trial in reading(trial).map { (trial: trial, value: $0) } }
    let values = Dictionary(read.map { ($0.trial.cell, $0.value) }) { first, _ in first }
    let own = read.map(\.trial)
    guard let value = MethodSummary.mean(own, { values[$0.cell] }) else { return nil }
    self.value = value
    count = own.count
    let clusters = Clusters(own)
    let mean = ClusteredMean(own, in: clusters) { values[$0.cell] }
    interval = ConfidenceInterval(
      value, replicates: clusters.draws().compactMap(mean.value), witnesses: clusters.witnesses)
  }
}
