internal import Bench
internal import Scoring

/// The null pairs of each plant: those that were made beside it, with its recipe and as many steps.
///
/// Pooled by regime, a plant of twelve steps meets the nulls of one of two hundred, and a method that measures
/// nothing but length looks better or worse than it is. Both figures are shown.
struct OwnNulls {
  private struct Place: Hashable {
    let plant: PairName
    let seeds: TrialSeeds
  }

  private let magnitudes: [Place: [Double]]

  /// Collects the null pairs of one method's trials.
  init(_ trials: [Trial]) {
    magnitudes = trials.reduce(into: [:]) { known, trial in
      // Benign nulls are made for one plant of a regime only: they count among the pooled ones.
      guard [.narrow, .novel].contains(trial.role), let plant = trial.match else { return }
      known[Place(plant: plant, seeds: trial.seeds), default: []].append(trial.magnitude.level)
    }
  }

  /// The share of its own null pairs that a planted pair exceeds, ties counted half; nil if it has none.
  func area(_ trial: Trial) -> Double? {
    trial.isNull ? nil : share(of: trial, aboveNullsOf: trial.pair)
  }

  /// The share of its plant's null pairs that a ghost exceeds.
  func ghostArea(_ trial: Trial) -> Double? {
    guard trial.role == .ghost, let plant = trial.match else { return nil }
    return share(of: trial, aboveNullsOf: plant)
  }

  private func share(of trial: Trial, aboveNullsOf plant: PairName) -> Double? {
    guard trial.isInstalled else { return nil }
    return Ranking.areaUnderCurve(
      positives: [trial.magnitude.level],
      negatives: magnitudes[Place(plant: plant, seeds: trial.seeds)] ?? [])
  }
}
