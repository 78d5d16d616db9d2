import Methods
import Statistics
import Bench
import Diffing
import Foundation
import Organisms
import TestSupport
import Testing

/// The smoke tier, run once for all recovery tests.
enum SmokeTier {
  static let project = Project(root: Fixtures.repository)

  /// The trials of the whole tier, or why there are none.
  static let outcome = Result {
    let workshop = try Workshop(project)
    return try BenchRun(workshop).run(
      Grid(workshop.library, tier: .smoke), jobs: ProcessInfo.processInfo.activeProcessorCount)
  }

  /// The trials of one method on the organisms that the tier leaves out: that they are planted, and their keys right.
  static let others = Result {
    _ = try outcome.get()
    let workshop = try Workshop(project)
    let others = Set(OrganismCase.all.filter { $0.loadError == nil }.map(\.organism))
      .subtracting(OrganismCase.measured.map(\.organism))
    guard !others.isEmpty else { return [Trial]() }
    return try BenchRun(workshop).run(
      Grid(
        workshop.library, tier: .smoke, organisms: others.sorted(), methods: ["weight-norm"],
        nulls: Grid.NullChoice.none),
      jobs: ProcessInfo.processInfo.activeProcessorCount)
  }

  /// The expected scores.
  static let ledger = Result { try Ledger.read(project.ledger) }

  /// The same judgement as that of `assay gate`.
  static let gate = Result {
    let blessed = try #require(try ledger.get(), "there is no ledger; run 'assay bless'")
    return Gate(blessed, try outcome.get())
  }

  /// What became of the figures of a cell, or of a method over all plants.
  static func checks(_ row: MethodAtAccess, _ cell: Cell?) throws -> [Gate.Check] {
    try gate.get().checks.filter { $0.row == row && $0.cell == cell?.withoutMethodSeed }
  }

  /// The trial of one cell.
  static func trial(_ method: MethodCase, _ organism: OrganismCase) throws -> Trial? {
    try outcome.get().first {
      $0.row == method.row && $0.pair == PairName(organism.organism, organism.regime)
    }
  }
}

/// A method at one of its levels of access.
struct MethodCase: Sendable, CustomTestStringConvertible {
  let row: MethodAtAccess
  var testDescription: String { "\(row.method) from \(row.access.rawValue)" }

  /// Every registered method.
  static let all = Methods.all.flatMap { type in
    type.card.access.map { MethodCase(row: MethodAtAccess(type.card.id, $0)) }
  }
}

/// An organism under one of its regimes, or a file that could not be read.
struct OrganismCase: Sendable, CustomTestStringConvertible {
  let organism: String
  let regime: String
  var loadError: String?
  var testDescription: String { "\(organism) (\(regime))" }

  /// Those that the smoke tier runs every method on: the first of each family.
  static let measured: [OrganismCase] = {
    let grid = try? Grid(SmokeTier.project.library(), tier: .smoke)
    let names = Set(grid?.subjects.map(\.name) ?? [])
    return all.filter { names.contains(PairName($0.organism, $0.regime)) }
  }()

  /// Every file in `Organisms/`; one with a mistake is a case too, which fails under its own name.
  static let all: [OrganismCase] = {
    do {
      let library = try SmokeTier.project.library()
      return library.organisms.filter { $0.half != .heldOut }.flatMap { organism in
        Tier.smoke.regimes(of: organism).map {
          OrganismCase(organism: organism.id, regime: $0.id)
        }
      }
        + library.failures.map {
          OrganismCase(organism: $0.file, regime: "unreadable", loadError: "\($0.error)")
        }
    } catch {
      return [OrganismCase(organism: "world", regime: "unreadable", loadError: "\(error)")]
    }
  }()
}
