import Bench
import Foundation
import Organisms
import Reporting
import Transformers

/// Plants for `plant --report` and writes the pages.
struct ReportWriter {
  let project: Project
  let seeds: [UInt64]

  init(_ project: Project, seeds: [UInt64]) {
    self.project = project
    self.seeds = seeds
  }

  /// Writes the page of an organism, or of all.
  func write(_ id: String?, withDials: Bool) throws {
    let library = try project.library()
    if id == nil, let failure = library.failures.first { throw failure.error }
    let organisms = try id.map { [try library.organism($0)] } ?? library.organisms
    let plants = organisms.flatMap { organism in organism.regimes.map { (organism, $0) } }
    let dials =
      withDials
      ? Certification.representatives(of: organisms).flatMap { organism in
        Certification.dials(of: organism).map { (organism, $0) }
      } : []
    let certified = try certify(plants + dials, library)
    let own = certified.filter { plant in
      plant.organism.regimes.contains { $0.id == plant.regime.id }
    }
    let along = certified.filter { plant in
      !plant.organism.regimes.contains { $0.id == plant.regime.id }
    }
    let matrix =
      id == nil ? try TransferMatrix.measure(project, library: library, seeds: seeds) : nil
    let report = OrganismReport(own, dials: along, matrix: matrix, world: library.world)
    if let id {
      print(report.page)
      try save(report.page, "organisms/\(id).md")
    } else {
      print(report.certificateTable.text)
      try save(report.markdown, "organisms.md")
    }
  }

  private func certify(_ plants: [(Organism, Regime)], _ library: Library) throws
    -> [CertifiedPlant]
  {
    let line = CountLine("planted")
    defer { line.finish() }
    return try Certification(project, library: library).run(
      plants.map { (organism: $0.0, regime: $0.1) }, seeds: seeds,
      jobs: ProcessInfo.processInfo.activeProcessorCount, report: line.show)
  }

  private func save(_ text: String, _ name: String) throws {
    let url = project.reports.appending(path: name)
    try FileManager.default.createDirectory(
      at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try AtomicFolder.write(Data(text.utf8), to: url)
    print("Wrote Reports/\(name).")
  }
}
