package import Diffing
package import Organisms
package import Scoring

/// A kept cell with everything that its scores came from.
package struct CellInspection: Sendable {
  package let evidence: CellEvidence
  package let truth: PlantedChange
  package let effects: MeasuredEffects?
  package let trial: Trial
  /// How much more of what was planted each prompt of the pool brings out; nil if that was not measured.
  package let gains: AnswerGains?
  /// The prompts of the pool, which input claims refer to.
  package let pool: [[Int]]
}

extension BenchRun {
  /// Opens a cell that is kept.
  ///
  /// - Parameters:
  ///   - method: The method.
  ///   - access: Its level of access.
  ///   - plant: The organism and its regime.
  ///   - seeds: The trial's.
  /// - Returns: Nil if the cell was not measured.
  /// - Throws: As `run` does, and `DefinitionError` for a plant that there is not.
  package func inspect(
    _ method: MethodCode, _ access: AccessLevel, on plant: PairName, _ seeds: TrialSeeds
  ) throws -> CellInspection? {
    let ground = try Ground(self, seed: seeds.base)
    let organism = try ground.library.organism(plant.subject)
    let subject = Subject.organism(organism, try organism.regime(plant.regime))
    let visit = PairVisit(self, subject, on: ground, seeds, .reading) { _ in }
    return try visit.inspect(MethodRun(method, access, workshop.sources))
  }
}
