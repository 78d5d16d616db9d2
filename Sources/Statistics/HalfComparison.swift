package import Bench
package import Diffing
internal import Organisms

/// What methods score on organisms that were drawn after every default was chosen, beside the others.
///
/// Only plants of which both halves are installed are compared.
package struct HalfComparison: Sendable {
  /// One method's means in both halves.
  package struct Row: Sendable {
    package let row: MethodAtAccess
    package let development: Double?
    package let heldOut: Double?
    /// Development less held-out, each organism less the other that its file makes.
    package let difference: PlantMean?
  }

  private let development: BenchSummary
  private let heldOut: BenchSummary
  /// The names of files that make organisms of both halves.
  private let files: Set<String>

  /// - Parameter trials: Those of both halves.
  /// - Returns: Nil if nothing was held out.
  package init?(_ trials: [Trial]) {
    let shared = trials.filter { $0.isNull && $0.match == nil }
    files = Set(trials.filter { !$0.isNull && $0.half == .development }.map(\.pair.subject))
    let drawn = Self.inBothHalves(trials.filter { $0.half != nil }, files)
    guard drawn.contains(where: { !$0.isNull }) else { return nil }
    development = BenchSummary(shared + drawn.filter { $0.half == .development })
    heldOut = BenchSummary(shared + drawn.filter { $0.half == .heldOut })
  }

  /// A plant of either half, in one base.
  private struct Place: Hashable {
    let file: String
    let regime: String
    let seeds: TrialSeeds

    init(_ trial: Trial, _ files: Set<String>) {
      let plant = trial.match ?? trial.pair
      // The held-out half is called as the other, with something behind it.
      file =
        trial.half == .development
        ? plant.subject
        : files.filter { plant.subject.hasPrefix("\($0)-") }.max { $0.count < $1.count } ?? ""
      regime = plant.regime
      seeds = trial.seeds
    }
  }

  /// The trials of plants that are installed in both halves, and of their null pairs.
  private static func inBothHalves(_ trials: [Trial], _ files: Set<String>) -> [Trial] {
    func installed(_ half: Half) -> Set<Place> {
      Set(
        trials.filter { !$0.isNull && $0.half == half && $0.isInstalled }
          .map { Place($0, files) })
    }
    let both = installed(.development).intersection(installed(.heldOut))
    return trials.filter { both.contains(Place($0, files)) }
  }

  /// A question's means, method by method; `whether` is each plant against its own null pairs.
  package func rows(_ question: Question) -> [Row] {
    development.methods.map { method in
      let other = heldOut.methods.first { $0.row == method.row }
      return Row(
        row: method.row, development: method.mean(question),
        heldOut: other.flatMap { $0.mean(question) },
        difference: other.flatMap { difference(question, method, $0) })
    }
  }

  private func difference(_ question: Question, _ own: MethodSummary, _ other: MethodSummary)
    -> PlantMean?
  {
    guard let read = own.reading(question), let readOther = other.reading(question) else {
      return nil
    }
    let held = Dictionary(
      other.installed.compactMap { trial in
        readOther(trial).map { (Place(trial, files), $0) }
      }
    ) { first, _ in first }
    return PlantMean(own.installed) { trial in
      read(trial).flatMap { value in held[Place(trial, files)].map { value - $0 } }
    }
  }

  /// How much of the methods' order both halves share: Kendall's tau-b, 1 if all of it.
  ///
  /// - Returns: Nil if fewer than two methods answer, or all tie.
  package func agreement(_ question: Question) -> Double? {
    RankCorrelation.kendall(
      rows(question).compactMap { row in
        row.development.flatMap { own in row.heldOut.map { (own, $0) } }
      })
  }

  /// The mean of development less held-out, over the methods that answer in both.
  package func advantage(_ question: Question) -> Double? {
    let differences = rows(question).compactMap { row in
      row.development.flatMap { own in row.heldOut.map { own - $0 } }
    }
    return differences.isEmpty
      ? nil : differences.reduce(0, +) / Double(differences.count)
  }
}
