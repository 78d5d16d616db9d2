internal import Diffing
package import Foundation
internal import Synchronization

/// Runs people's programs on pairs: one for each question, or one that stays up for each pair that is worked on at once.
package final class ProgramPool: Sendable {
  private let supervisor: URL
  private let limits: ProgramLimits
  /// Programs that stay up and are at no work, by their command, each with the folder of its log.
  private let idle = Mutex<[String: [Resident]]>([:])

  private struct Resident: Sendable {
    let process: SupervisedProcess
    let places: ExternalPlaces
  }

  /// - Parameters:
  ///   - supervisor: A program whose command `supervise` is `Supervision.run`.
  ///   - limits: What each program may use.
  package init(supervisor: URL, limits: ProgramLimits = ProgramLimits()) {
    self.supervisor = supervisor
    self.limits = limits
  }

  deinit {
    for resident in idle.withLock({ $0.values.flatMap(\.self) }) { end(resident) }
  }

  /// What a program says of a pair, and what that took.
  ///
  /// - Throws: `ProgramFault`, or what writing the pair throws.
  func answer(of program: ExternalMethod, on pair: ExternalPair) throws -> (
    evidence: Evidence, cost: CellEvidence.Cost
  ) {
    guard !pair.isSame else { return (Evidence(), Self.cost(seconds: 0, peakMemory: 0)) }
    let places = try ExternalPlaces()
    defer { places.remove() }
    try pair.write(to: places)
    let beginning = Date()
    if program.staysUp {
      let evidence = try ask(program, pair, places)
      // What one that stays up holds is not known before it ends.
      return (evidence, Self.cost(seconds: Date().timeIntervalSince(beginning), peakMemory: 0))
    }
    let report = try start(program, pair, places)
    return (
      try pair.evidence(at: places.out),
      Self.cost(seconds: report.seconds, peakMemory: report.peakMemory)
    )
  }

  private static func cost(seconds: Double, peakMemory: Int) -> CellEvidence.Cost {
    CellEvidence.Cost(
      seconds: seconds, tokensForward: 0, tokensBackward: 0, tokensShared: 0,
      peakMemory: peakMemory)
  }

  /// Starts a program for one pair.
  private func start(
    _ program: ExternalMethod, _ pair: ExternalPair, _ places: ExternalPlaces
  ) throws -> Supervision.Report {
    try SupervisedProcess(
      places.filled(program.command, seed: pair.seed), limits, isAsked: false,
      supervisor: supervisor, in: places.folder
    ).finish(within: limits.seconds)
  }

  /// Asks one that stays up.
  ///
  /// One that fails, or whose evidence is wrong, is ended, and the next question starts another.
  private func ask(
    _ program: ExternalMethod, _ pair: ExternalPair, _ places: ExternalPlaces
  ) throws -> Evidence {
    let known = idle.withLock { $0[program.command]?.popLast() }
    let resident = try known ?? started(program)
    do {
      let line = try resident.process.answer(
        to: places.request(seed: pair.seed), within: limits.seconds)
      try ProgramReply.check(line)
      let evidence = try pair.evidence(at: places.out)
      idle.withLock { $0[program.command, default: []].append(resident) }
      return evidence
    } catch {
      end(resident)
      throw error
    }
  }

  private func started(_ program: ExternalMethod) throws -> Resident {
    let places = try ExternalPlaces()
    return Resident(
      process: try SupervisedProcess(
        program.command, limits, isAsked: true, supervisor: supervisor, in: places.folder),
      places: places)
  }

  private func end(_ resident: Resident) {
    resident.process.stop()
    resident.places.remove()
  }
}
