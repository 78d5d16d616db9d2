package import Diffing
internal import JSON
package import Organisms

/// How much is run.
package enum Tier: String, Codable, CaseIterable, Sendable {
  /// One base: about a minute.
  case smoke
  /// Three bases: what the committed ledger is made of.
  case standard

  package var seeds: [UInt64] {
    switch self {
    case .smoke: [0]
    case .standard: [0, 1, 2]
    }
  }
}

/// The cells to run: methods, subjects and base seeds.
package struct Grid: Sendable {
  package var methods: [any DiffingMethod]
  package var subjects: [Subject]
  package var seeds: [UInt64]

  /// Chooses cells.
  ///
  /// - Parameters:
  ///   - library: Where organisms come from.
  ///   - tier: How many bases.
  ///   - organisms: Ids to keep; all if empty. Null pairs stay, because scores need them.
  ///   - methods: Ids to keep; all if empty.
  ///   - seeds: Base seeds instead of the tier's.
  /// - Throws: `OrganismError` or `DiffingError` for names that do not exist.
  package init(
    _ library: Library, tier: Tier, organisms: [String] = [], methods: [String] = [],
    seeds: [UInt64] = []
  ) throws {
    let chosen =
      organisms.isEmpty ? library.organisms : try organisms.map { try library.organism($0) }
    let planted = chosen.flatMap { organism in
      organism.regimes.map { Subject.organism(organism, $0) }
    }
    let nulls = NullPair.standard(library.world, organisms: library.organisms)
    subjects = planted + nulls.map(Subject.null)
    self.methods =
      methods.isEmpty ? Methods.all.map { $0.init() } : try methods.map { try Methods.named($0) }
    self.seeds = seeds.isEmpty ? tier.seeds : seeds
  }

  /// The trials of one pair, in order.
  package var methodRuns: [(method: any DiffingMethod, access: AccessLevel)] {
    methods.flatMap { method in method.card.access.map { (method, $0) } }
  }

  package var trialCount: Int { methodRuns.count * subjects.count * seeds.count }
}
