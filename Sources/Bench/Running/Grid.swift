internal import Methods
package import Diffing
internal import JSON
package import Organisms

/// How much is run.
package enum Tier: String, Codable, CaseIterable, Sendable {
  /// One base, each organism in its first regime: what `swift test` runs.
  case smoke
  /// Three bases, each organism in all its regimes.
  case standard
  /// Three bases, the first organism of each family in its first regime, diluted and aged, without nulls.
  case dials

  package var seeds: [TrialSeeds] {
    (self == .smoke ? [0] : [0, 1, 2]).map { TrialSeeds(base: $0) }
  }

  /// The regimes in which an organism is run.
  package func regimes(of organism: Organism) -> [Regime] {
    switch self {
    case .smoke: Array(organism.regimes.prefix(1))
    case .standard: organism.regimes
    case .dials: Array(organism.regimes.prefix(1)) + Certification.dials(of: organism)
    }
  }

  /// The organisms that are run where none are named.
  func organisms(of library: Library) -> [Organism] {
    self == .dials ? Certification.representatives(of: library.organisms) : library.organisms
  }

  /// The null pairs that are matched with a plant: in the smoke tier one broad and one narrow one.
  func nulls(of organism: Organism, _ regime: Regime) -> [NullPair] {
    let all = NullPair.matched(organism, regime)
    switch self {
    case .smoke:
      return [all.first { $0.breadth == .broad }, all.last { $0.breadth == .narrow }]
        .compactMap { $0 }
    case .standard: return all
    case .dials: return []
    }
  }

  /// The null pairs that belong to no plant: models that answer alike.
  var invariantNulls: [NullPair] { self == .dials ? [] : NullPair.invariant }
}

/// The cells to run: methods, subjects and base seeds.
package struct Grid: Sendable {
  package var methods: [any DiffingMethod]
  package var subjects: [Subject]
  package var seeds: [TrialSeeds]

  /// Chooses cells.
  ///
  /// - Parameters:
  ///   - library: Where organisms come from.
  ///   - tier: How many bases, regimes and nulls.
  ///   - organisms: Ids to keep, with the null pairs that are matched with them; the tier's if empty.
  ///   - methods: Ids to keep; all if empty.
  ///   - seeds: Seeds instead of the tier's.
  /// - Throws: `DefinitionError` or `DiffingError` for names that do not exist.
  package init(
    _ library: Library, tier: Tier, organisms: [String] = [], methods: [String] = [],
    seeds: [TrialSeeds] = []
  ) throws {
    let chosen =
      organisms.isEmpty
      ? tier.organisms(of: library) : try organisms.map { try library.organism($0) }
    let plants = chosen.flatMap { organism in
      tier.regimes(of: organism).map { (organism, $0) }
    }
    let nulls = tier.invariantNulls + plants.flatMap { tier.nulls(of: $0.0, $0.1) }
    subjects = plants.map { Subject.organism($0.0, $0.1) } + nulls.map(Subject.null)
    self.methods = try Methods.chosen(methods)
    self.seeds = seeds.isEmpty ? tier.seeds : seeds
  }

  /// The trials of one pair, in order.
  package var methodRuns: [(method: any DiffingMethod, access: AccessLevel)] {
    methods.flatMap { method in method.card.access.map { (method, $0) } }
  }

  package var trialCount: Int { methodRuns.count * subjects.count * seeds.count }
}
