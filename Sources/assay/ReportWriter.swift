import ArgumentParser
import Bench
import Files
import Foundation
import Organisms
import Reporting
import Transformers

/// Plants for `plant --report` and writes the pages.
struct ReportWriter {
  let workshop: Workshop
  let seeds: [UInt64]

  private let folder: URL
  /// The folder, as the user may write it.
  private let place: String

  init(_ workshop: Workshop, seeds: [UInt64], out: String?) {
    self.workshop = workshop
    self.seeds = seeds
    folder = out.map { URL(filePath: $0) } ?? workshop.project.localReports
    place = out ?? "Reports/local"
  }

  /// Writes the page of an organism, or of all.
  func write(_ id: String?, withDials: Bool, withControls: Bool) throws {
    let library = workshop.library
    let organisms = try id.map { [try library.organism($0)] } ?? library.organisms
    let name = id.map { "organisms/\($0).md" } ?? "organisms.md"
    try AtomicFile.check(
      folder.appending(path: name), replacing: "# \(id ?? "Organisms")\n")
    let plants = organisms.flatMap { organism in organism.regimes.map { (organism, $0) } }
    let dials =
      withDials
      ? Certification.representatives(of: organisms).flatMap { organism in
        Certification.dials(of: organism).map { (organism, $0) }
      } : []
    let own = try certify(plants, withControls: withControls)
    let along = try certify(dials)
    let matrix =
      id == nil ? try TransferMatrix.measure(workshop, seeds: seeds) : nil
    let report = OrganismReport(own, dials: along, matrix: matrix, world: library.world)
    if id != nil {
      Console.show(report.page)
      try save(report.page, name)
    } else {
      Console.show(report.certificateTable.fitted)
      try save(report.markdown, name)
    }
    let failed = own.filter { !$0.certificate.isInstalled }
    for plant in failed {
      Notice.standardError(
        "\(plant.organism.id) (\(plant.regime.id)) is not installed on base \(plant.seed): "
          + plant.certificate.failures.joined(separator: "; "))
    }
    if !failed.isEmpty { throw ExitCode(1) }
  }

  private func certify(_ plants: [(Organism, Regime)], withControls: Bool = false) throws
    -> [CertifiedPlant]
  {
    guard !plants.isEmpty else { return [] }
    Interruption.handleKeeping()
    let line = CountProgress("planted")
    defer { line.finish() }
    return try Certification(workshop).run(
      plants.map { (organism: $0.0, regime: $0.1) }, seeds: seeds,
      withControls: withControls, jobs: ProcessInfo.processInfo.activeProcessorCount,
      report: line.show)
  }

  private func save(_ text: String, _ name: String) throws {
    let url = folder.appending(path: name)
    try AtomicFile.write(Data(text.utf8), to: url)
    Console.show("Wrote \(place)/\(name).")
  }
}
