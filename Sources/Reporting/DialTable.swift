internal import Scoring
package import Bench
internal import Diffing
internal import Foundation
internal import Tensors

/// What methods say of plants along the dials, each compared with itself in its organism's own regime.
///
/// Only pairs of plants that are both installed are compared: a plant that is diluted too far is no plant,
/// and one that is not diluted at all often does more than was asked of it.
package struct DialTable: Sendable {
  /// A number that is read off a trial.
  package typealias Figure = @Sendable (Trial) -> Double?

  /// The planted tokens' rank in their class relative to chance: 1 is a random ranking.
  package static let classShare: Figure = { trial in
    guard let details = trial.score(.what)?.details, let rank = details["classRank"],
      let chance = details["classChance"], chance > 0
    else { return nil }
    return rank / chance
  }

  /// The recall of the planted tokens.
  package static let recall: Figure = { $0.score(.what)?.value }

  private struct Cell: Hashable {
    let method: String
    let dial: Dial
    let plant: String
  }

  private let methods: [String]
  private let values: [Cell: Double]
  private let plants: [String]

  /// Reads a figure off the planted trials of a run.
  package init(_ trials: [Trial], _ figure: Figure) {
    var methods: [String] = [], plants: [String] = []
    var values: [Cell: Double] = [:]
    for trial in trials where !trial.isNull && trial.isInstalled {
      guard let value = figure(trial) else { continue }
      let method = Self.name(trial.method, trial.access)
      let plant = "\(trial.subject) on base \(trial.seed)"
      if !methods.contains(method) { methods.append(method) }
      if !plants.contains(plant) { plants.append(plant) }
      values[Cell(method: method, dial: Dial(ofRegime: trial.regime), plant: plant)] = value
    }
    self.methods = methods
    self.plants = plants
    self.values = values
  }

  static func name(_ method: String, _ access: AccessLevel) -> String {
    "\(method) (\(access.rawValue))"
  }

  /// A method's mean in the own regime and at a dial, over the plants that both have.
  package func pair(_ method: String, at dial: Dial) -> (own: Double, there: Double, count: Int)? {
    let both = plants.compactMap { plant -> (own: Double, there: Double)? in
      guard let own = values[Cell(method: method, dial: .own, plant: plant)],
        let there = values[Cell(method: method, dial: dial, plant: plant)]
      else { return nil }
      return (own, there)
    }
    guard !both.isEmpty else { return nil }
    return (both.map(\.own).mean, both.map(\.there).mean, both.count)
  }

  /// One row a method: its mean in the own regimes, and how it changes along the dials.
  package func table(_ title: String) -> TextTable {
    let shown = Dial.all.filter { dial in methods.contains { pair($0, at: dial) != nil } }
    return TextTable(
      header: [title, "own"] + shown.map(\.label),
      rows: methods.compactMap { method in
        guard let own = pair(method, at: .own) else { return nil }
        return [method, String(format: "%.2f", own.own)]
          + shown.map { dial in
            pair(method, at: dial).map {
              String(format: "%+.2f (%d)", $0.there - $0.own, $0.count)
            } ?? "-"
          }
      })
  }
}
