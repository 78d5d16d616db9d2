internal import Worlds
internal import Foundation
package import Organisms
internal import Synchronization
internal import Transformers

/// What was measured of one plant in one base.
package struct CertifiedPlant: Sendable {
  package let organism: Organism
  package let regime: Regime
  /// The seed of the base.
  package let seed: UInt64
  package let certificate: Certificate
  /// What it is to be held against; nil where it was not measured.
  package let controls: PlantControls?
}

/// Plants organisms in several bases and collects their certificates.
package struct Certification: Sendable {
  private let workshop: Workshop

  package init(_ workshop: Workshop) { self.workshop = workshop }

  /// Base documents to a planted one, from none to sixteen.
  package static let dilutions = [0, 0.3, 1, 4, 16]
  /// Steps as multiples of those of the organism's own regime.
  package static let ages = [1.0, 2, 5]

  /// The first organism of each family that has dials: turning all of them would take an hour.
  package static func representatives(of organisms: [Organism]) -> [Organism] {
    organisms.filter { !dials(of: $0).isEmpty }.firstOfEachFamily
  }

  /// The regimes along the dials: the first of an organism, diluted and aged.
  package static func dials(of organism: Organism) -> [Regime] {
    guard let regime = organism.regimes.first, regime.isTrained else { return [] }
    return (organism.lesson.canBeDiluted ? dilutions : []).filter { $0 != regime.mix }.map(
      regime.diluted)
      + ages.filter { $0 != 1 }.map(regime.aged)
  }

  /// Plants what is not planted yet.
  ///
  /// - Parameters:
  ///   - plants: Organisms with the regimes to plant them by.
  ///   - seeds: The bases.
  ///   - withControls: Whether controls are measured of what is installed.
  ///   - jobs: Pairs planted at once.
  ///   - report: Told how many of all plants are done, from any thread.
  /// - Returns: Certificates in the order of plants and, within each, of seeds.
  /// - Throws: The first error of any plant.
  package func run(
    _ plants: [(organism: Organism, regime: Regime)], seeds: [UInt64],
    withControls: Bool = false, jobs: Int,
    report: @escaping @Sendable (_ done: Int, _ all: Int) -> Void = { _, _ in }
  ) throws -> [CertifiedPlant] {
    let bases = try seeds.map { seed in
      (base: try workshop.bases.base(seed: seed), library: try workshop.library.drawn(for: seed))
    }
    let cells = plants.flatMap { plant in bases.map { (plant, $0) } }
    let results = Mutex<[Int: Result<CertifiedPlant, any Error>]>([:])
    inParallel(cells.count, jobs: jobs) { index in
      let (known, (base, library)) = cells[index]
      let result = Result {
        // Another base draws another place, which is part of the regime.
        let organism = try library.organism(known.organism.id)
        let all = organism.regimes + Self.dials(of: organism)
        let regime = all.first { $0.id == known.regime.id } ?? known.regime
        let certificate = try workshop.pairs.certificate(organism, regime, in: base)
        let isControlled = withControls && certificate.isInstalled
        return CertifiedPlant(
          organism: organism, regime: regime, seed: base.seed, certificate: certificate,
          controls: isControlled
            ? try workshop.pairs.controls(organism, regime, in: base) : nil)
      }
      let done = results.withLock {
        $0[index] = result
        return $0.count
      }
      report(done, cells.count)
    }
    let finished = results.withLock { $0 }
    return try cells.indices.compactMap { try finished[$0]?.get() }
  }
}

extension [Organism] {
  /// The first organism of each family, in their order.
  var firstOfEachFamily: [Organism] {
    var seen: Set<String> = []
    return filter { seen.insert($0.file.family).inserted }
  }

  /// Those whose file says that the smoke tier runs them, and of each family where none does the first that does not
  /// say that it is left out.
  var chosenOfEachFamily: [Organism] {
    let families = Set(filter { $0.file.smoke == true }.map(\.file.family))
    let others = filter { $0.file.smoke == nil && !families.contains($0.file.family) }
    let first = Set(others.firstOfEachFamily.map(\.id))
    return filter { $0.file.smoke == true || first.contains($0.id) }
  }
}
