package import Diffing
package import Organisms
package import Scoring

/// A kept cell with everything that its scores came from.
package struct CellInspection: Sendable {
  package let evidence: CellEvidence
  package let truth: PlantedChange
  package let effects: MeasuredEffects?
  package let trial: Trial
  /// The prompts of the pool, which input claims refer to.
  package let pool: [[Int]]
}

extension BenchRun {
  /// Opens a cell that is kept.
  ///
  /// - Parameters:
  ///   - method: The method.
  ///   - access: Its level of access.
  ///   - subject: The organism or null pair.
  ///   - seeds: The trial's.
  /// - Returns: Nil if the cell was not measured.
  /// - Throws: As `run` does.
  package func inspect(
    _ method: any DiffingMethod, _ access: AccessLevel, on subject: Subject, _ seeds: TrialSeeds
  ) throws -> CellInspection? {
    let visit = PairVisit(
      self, subject, in: try workshop.bases.base(seed: seeds.base), seeds, .reading,
      BaseRecordings()
    ) { _ in }
    return try visit.inspect(MethodRun(method, access, workshop.sources))
  }
}
