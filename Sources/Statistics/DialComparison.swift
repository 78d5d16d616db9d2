internal import Diffing
package import Bench
package import Organisms
internal import Scoring
internal import Tensors

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
  }

  package let rows: [MethodAtAccess]
  private let values: [Place: Double]
  private let plants: [Plant]

  /// Reads a figure off the planted trials of a run.
  package init(_ trials: [Trial], _ reading: Reading) {
    var rows: [MethodAtAccess] = [], plants: [Plant] = []
    var values: [Place: Double] = [:]
    let saying = Set(trials.filter { $0.score(.what)?.value != nil }.map(\.row))
    for trial in trials where !trial.isNull && trial.isInstalled && !trial.row.isDummy {
      // Who never says what it is about is at chance everywhere.
      guard saying.contains(trial.row) else { continue }
      guard let value = reading(trial) else { continue }
      let plant = Plant(organism: trial.pair.subject, seeds: trial.seeds)
      if !rows.contains(trial.row) { rows.append(trial.row) }
      if !plants.contains(plant) { plants.append(plant) }
      values[Place(row: trial.row, dial: trial.planting.dial, plant: plant)] = value
    }
    self.rows = rows
    self.plants = plants
    self.values = values
  }

  /// A method's mean in the own regime and at a dial, over the plants that both have.
  package func pair(_ row: MethodAtAccess, at dial: Dial?) -> (
    own: Double, there: Double, count: Int
  )? {
    let both = plants.compactMap { plant -> (own: Double, there: Double)? in
      guard let own = values[Place(row: row, dial: nil, plant: plant)],
        let there = values[Place(row: row, dial: dial, plant: plant)]
      else { return nil }
      return (own, there)
    }
    guard !both.isEmpty else { return nil }
    return (both.map(\.own).mean, both.map(\.there).mean, both.count)
  }

  /// The dials at which any method can be compared.
  package var shown: [Dial] {
    Self.dials.filter { dial in rows.contains { pair($0, at: dial) != nil } }
  }
}
