package import Bench
internal import Diffing
internal import Scoring

/// What methods say of ghosts, plants that were taken out again, beside what they say of the same plants.
///
/// A ghost does nothing any more, so a method that names what was planted in it reads a trace, and one that is
/// only set off by it was set off by the training.
package struct GhostComparison: Sendable {
  /// One method's means.
  package struct Row: Sendable {
    package let row: MethodAtAccess
    /// The share of the plant's own null pairs that are exceeded, by the plant and by its ghost.
    package let seen: (plant: PlantMean?, ghost: PlantMean?)
    /// The average precision of the planted words, of the plant and of its ghost.
    package let named: (plant: PlantMean?, ghost: PlantMean?)
  }

  package let rows: [Row]
  /// How many ghosts there are, over all bases, and how many plants could not be taken out.
  package let count, failed: Int

  /// A plant in one base.
  private struct Place: Hashable {
    let plant: PairName
    let seeds: TrialSeeds
  }

  /// - Parameter trials: Those of a run.
  /// - Returns: Nil if it had no ghosts.
  package init?(_ trials: [Trial]) {
    let ghosts = trials.filter { $0.role == .ghost }
    let gone = Self.places(ghosts.filter(\.isInstalled))
    let installed = Self.places(trials.filter { !$0.isNull && $0.isInstalled })
    let both = gone.intersection(installed)
    guard !ghosts.isEmpty else { return nil }
    count = both.count
    failed = Self.places(ghosts.filter { !$0.isInstalled }).intersection(installed).count
    let groups = Dictionary(grouping: trials.filter { both.contains(Self.place($0)) }, by: \.row)
    rows = BenchSummary(trials).methods.compactMap { method in
      groups[method.row].map { Self.row(method.row, $0) }
    }
  }

  private static func place(_ trial: Trial) -> Place {
    Place(plant: trial.match ?? trial.pair, seeds: trial.seeds)
  }

  private static func places(_ trials: [Trial]) -> Set<Place> { Set(trials.map(place)) }

  private static func row(_ row: MethodAtAccess, _ trials: [Trial]) -> Row {
    let nulls = OwnNulls(trials), answers = trials.first?.answersWhether == true
    let plants = trials.filter { $0.role == .planted }
    let ghosts = Dictionary(trials.filter { $0.role == .ghost }.map { (place($0), $0) }) {
      first, _ in first
    }
    /// A number of each plant's ghost, so that a ghost counts in its plant's family.
    func ofGhost(_ value: (Trial) -> Double?) -> PlantMean? {
      PlantMean(plants) { ghosts[place($0)].flatMap(value) }
    }
    func names(_ some: some Collection<Trial>) -> Bool {
      some.contains { $0.score(.what)?.value != nil }
    }
    let precision = { (trial: Trial) in trial.score(.what)?.counted }
    return Row(
      row: row,
      seen: (
        answers ? PlantMean(plants, nulls.area) : nil, answers ? ofGhost(nulls.ghostArea) : nil
      ),
      named: (
        names(plants) ? PlantMean(plants, precision) : nil,
        names(ghosts.values) ? ofGhost(precision) : nil
      ))
  }
}
