internal import Diffing
package import Bench
package import Organisms
internal import Scoring

/// What methods say of plants along the dials, each compared with itself in its organism's own regime.
///
/// Only pairs of plants that are both installed are compared: a plant that is diluted too far is no plant,
/// and one that is not diluted at all often does more than was asked of it.
package struct DialComparison: Sendable {
  /// A number that is read off a trial.
  package typealias Reading = @Sendable (Trial) -> Double?

  /// The planted tokens' place in their class: 1 is best, 0 is a random ranking.
  package static let classPlace: Reading = { $0.score(.what)?.figures[.classPlace] }

  /// The average precision of the planted tokens.
  package static let precision: Reading = { $0.score(.what)?.counted }

  /// Every place along the dials, from undiluted to old.
  package static let dials =
    Certification.dilutions.map(Dial.mix) + Certification.ages.filter { $0 != 1 }.map(Dial.age)

  /// Whether a run turned any dial.
  package static func areTurned(in trials: [Trial]) -> Bool {
    trials.contains { $0.planting.dial != nil }
  }

  private struct Place: Hashable {
    let row: MethodAtAccess
    /// Nil in the organism's own regime.
    let dial: Dial?
    let plant: Plant
  }

  private struct Plant: Hashable {
    let organism: String
    let seeds: TrialSeeds

    init(_ trial: Trial) {
      organism = trial.pair.subject
      seeds = trial.seeds
    }
  }

  package let rows: [MethodAtAccess]
  private let values: [Place: Double]
  private let trials: [MethodAtAccess: [Trial]]

  /// Reads a figure off the planted trials of a run.
  package init(_ trials: [Trial], _ reading: Reading) {
    var rows: [MethodAtAccess] = [], trialsOfRows: [MethodAtAccess: [Trial]] = [:]
    var values: [Place: Double] = [:]
    let saying = Set(trials.filter { $0.score(.what)?.value != nil }.map(\.row))
    for trial in trials where !trial.isNull && trial.isInstalled && !trial.row.isDummy {
      // Who never says what it is about is at chance everywhere.
      guard saying.contains(trial.row) else { continue }
      guard let value = reading(trial) else { continue }
      if !rows.contains(trial.row) { rows.append(trial.row) }
      trialsOfRows[trial.row, default: []].append(trial)
      values[Place(row: trial.row, dial: trial.planting.dial, plant: Plant(trial))] = value
    }
    self.rows = rows
    self.trials = trialsOfRows
    self.values = values
  }

  /// A method's mean in the organisms' own regimes.
  package func own(_ row: MethodAtAccess) -> PlantMean? {
    PlantMean(trials(of: row, at: nil)) { value($0, at: nil) }
  }

  /// How far a method's mean at a dial is from that in the own regimes, over the plants that both have.
  package func shift(_ row: MethodAtAccess, at dial: Dial) -> PlantMean? {
    PlantMean(trials(of: row, at: dial)) { trial in
      value(trial, at: dial).flatMap { there in value(trial, at: nil).map { there - $0 } }
    }
  }

  private func trials(of row: MethodAtAccess, at dial: Dial?) -> [Trial] {
    (trials[row] ?? []).filter { $0.planting.dial == dial }
  }

  private func value(_ trial: Trial, at dial: Dial?) -> Double? {
    values[Place(row: trial.row, dial: dial, plant: Plant(trial))]
  }

  /// The dials at which any plant can be compared.
  package var shown: [Dial] {
    Self.dials.filter { dial in
      rows.contains { row in
        trials(of: row, at: dial).contains { value($0, at: nil) != nil }
      }
    }
  }
}
