package import Bench

/// The trials of one method that are calibrated together: those of a standard regime, made with the same seeds.
package struct CalibrationGroup: Sendable {
  /// In the order of their magnitudes, the smallest first.
  let trials: [Trial]
  /// What calibrations read of them, in the same order.
  let observations: [Calibration.Observation]

  private init(_ trials: [Trial]) {
    self.trials = trials.sorted { $0.magnitude.level < $1.magnitude.level }
    observations = self.trials.map(Calibration.Observation.init)
  }

  /// The groups of a method's trials: a plant is calibrated on the null pairs of all plants of its own regime that were
  /// made with the same seeds.
  ///
  /// Invariant and prompted nulls belong to every regime. A plant that is not installed takes the null pairs that are
  /// matched with it along.
  ///
  /// - Returns: Those that have plants and nulls.
  package static func groups(_ trials: [Trial]) -> [CalibrationGroup] {
    Dictionary(grouping: trials, by: \.seeds).sorted { $0.key.order < $1.key.order }
      .flatMap { regimes($0.value) }
  }

  private static func regimes(_ trials: [Trial]) -> [CalibrationGroup] {
    let missing = Set(trials.filter { !$0.isInstalled }.map(\.pair))
    let counting = trials.filter { trial in
      trial.isInstalled && trial.match.map { !missing.contains($0) } ?? true
    }
    let regimes = Set(counting.filter { $0.role == .planted }.map(\.standard)).sorted()
    return regimes.map { regime in
      CalibrationGroup(
        counting.filter { $0.standard == regime || [.invariant, .prompted].contains($0.role) })
    }.filter { $0.trials.contains { $0.role.isCalibrating } }
  }
}

extension Calibration {
  /// Calibrates on trials of one base and regime.
  package init(_ group: CalibrationGroup) {
    self.init(ascending: group.observations, weights: group.observations.map { _ in 1 })
  }
}

extension Calibration.Observation {
  fileprivate init(_ trial: Trial) { self.init(magnitude: trial.magnitude, role: trial.role) }
}

extension TrialSeeds {
  fileprivate var order: [UInt64] { [base, planting, method] }
}

extension [UInt64] {
  fileprivate static func < (a: [UInt64], b: [UInt64]) -> Bool { a.lexicographicallyPrecedes(b) }
}
