internal import Methods
package import Diffing
internal import Files
internal import JSON
package import Organisms
internal import Worlds

/// How much is run.
package enum Tier: String, Codable, CaseIterable, Sendable {
  /// One base, an organism of most families in its first regime, a null pair each: what `swift test` runs.
  case smoke
  /// Three bases, each organism in all its regimes.
  case standard
  /// Three bases, the first organism of each family in its first regime, diluted and aged, without nulls.
  case dials
  /// Three bases, four organisms by five recipes at equal behaviour, without nulls.
  case lottery
  /// A model that people have, twice, the organisms that were written for it.
  case real
  /// Two bases of any size, an organism of each family that the real tier has: what it is compared with.
  case transfer

  package var seeds: [TrialSeeds] {
    let seeds: [UInt64] =
      switch self {
      case .smoke: [0]
      case .real, .transfer: [0, 1]
      case .standard, .dials, .lottery: [0, 1, 2]
      }
    return seeds.map { TrialSeeds(base: $0) }
  }

  /// The folder of the checkout that its world and organisms are in; nil for `Organisms/` itself.
  package var library: String? { self == .real ? "Organisms/Real" : nil }

  /// The regimes in which an organism is run.
  package func regimes(of organism: Organism) -> [Regime] {
    switch self {
    case .smoke, .real, .transfer: Array(organism.regimes.prefix(1))
    case .standard: organism.regimes
    case .dials: Array(organism.regimes.prefix(1)) + Certification.dials(of: organism)
    case .lottery: Lottery.recipes
    }
  }

  /// The organisms that are run where none are named: only the standard tier looks at the held-out half.
  func organisms(of library: Library) -> [Organism] {
    let development = library.organisms.filter { $0.half != .heldOut }
    return switch self {
    case .smoke: development.chosenOfEachFamily
    case .standard: library.organisms
    case .real: development
    case .transfer:
      Certification.representatives(
        of: development.filter {
          Self.realFamilies.contains($0.file.family)
        })
    case .dials: Certification.representatives(of: development)
    case .lottery: Lottery.organisms(of: development)
    }
  }

  /// The null pairs that are matched with a plant: in the smoke tier a narrow one and one that learns something, in those
  /// of a real model and its like a benign and a narrow one.
  ///
  /// Where one of the two is enough, the family's name decides which: a family that is added moves no other's.
  func nulls(
    _ choice: Grid.NullChoice, of organism: Organism, _ regime: Regime, _ library: Library
  ) throws -> [NullPair] {
    guard choice != .none else { return [] }
    let all = NullPair.matched(organism, regime, lesson: try library.lesson(for: organism))
    switch self {
    case .smoke:
      let pairs = [all.last { $0.breadth == .narrow }, all.first { $0.breadth == .novel }]
        .compactMap { $0 }
      guard choice == .one else { return pairs }
      return Array(Self.isEven(organism.file.family) ? pairs.suffix(1) : pairs.prefix(1))
    case .standard: return all
    case .real, .transfer:
      return [all.first { $0.breadth == .broad }, all.last { $0.breadth == .narrow }]
        .compactMap { $0 }
    case .dials, .lottery: return []
    }
  }

  /// What everybody's models go through: a large model is not read ten times for it.
  private static let commonNulls: Set = [
    "null-bfloat16", "null-quantised", "null-merged", "null-prompted-1",
  ]

  /// The families that both libraries have.
  private static let realFamilies: Set = [
    "backdoor", "combined", "conditional", "false-fact", "forgetting", "style", "subliminal",
    "taboo",
  ]

  /// One bit of a name, the same everywhere.
  private static func isEven(_ name: String) -> Bool {
    var hash = ContentHash()
    hash.mix(name)
    return hash.text.last?.hexDigitValue?.isMultiple(of: 2) ?? true
  }

  /// The null pairs that belong to no plant: the same function, or the same weights.
  var unmatchedNulls: [NullPair] {
    switch self {
    case .smoke, .standard: NullPair.unmatched
    case .real, .transfer:
      NullPair.unmatched.filter { Self.commonNulls.contains($0.id) }
    case .dials, .lottery: []
    }
  }
}

/// The cells to run: methods, subjects and base seeds.
package struct Grid: Sendable {
  package var methods: [any DiffingMethod]
  /// People's programs beside them.
  package var programs: [ExternalMethod]
  /// The subjects as the library that the grid was made from has them; each base draws its own.
  package var subjects: [Subject]
  package var seeds: [TrialSeeds]
  private let tier: Tier
  /// The ids of the organisms.
  private let organisms: [String]
  private let nullChoice: NullChoice
  /// Whether every seed's base is the same model: then a pair of no plant is run once.
  private let hasOneModel: Bool

  /// How many null pairs a plant of the smoke tier brings.
  package enum NullChoice: Sendable {
    /// None, nor such as belong to no plant.
    case none
    /// A narrow one or one that learns something.
    case one
    case all
  }

  /// Chooses cells.
  ///
  /// - Parameters:
  ///   - library: Where organisms come from.
  ///   - tier: How many bases, regimes and nulls.
  ///   - organisms: Ids to keep, with the null pairs that are matched with them; the tier's if empty.
  ///   - methods: Ids to keep; all if empty.
  ///   - programs: People's own; they are methods like the others.
  ///   - seeds: Seeds instead of the tier's.
  ///   - nulls: How many null pairs; if nil, one for each plant of a whole smoke tier, otherwise all.
  /// - Throws: `DefinitionError` or `DiffingError` for names that do not exist.
  package init(
    _ library: Library, tier: Tier, organisms: [String] = [], methods: [String] = [],
    programs: [ExternalMethod] = [], seeds: [TrialSeeds] = [], nulls: NullChoice? = nil
  ) throws {
    self.tier = tier
    nullChoice = nulls ?? (organisms.isEmpty ? .one : .all)
    hasOneModel = library.world.model != nil
    self.organisms = organisms.isEmpty ? tier.organisms(of: library).map(\.id) : organisms
    subjects = try Self.subjects(tier, self.organisms, nullChoice, in: library)
    // Of the names that are asked for some may be programs; if all are, none of Assay's own runs.
    let own = methods.filter { name in !programs.contains { $0.card.id == name } }
    self.methods = methods.isEmpty || !own.isEmpty ? try Methods.chosen(own) : []
    self.programs = methods.isEmpty ? programs : programs.filter { methods.contains($0.card.id) }
    self.seeds = seeds.isEmpty ? tier.seeds : seeds
  }

  /// The subjects of some seeds, as they were drawn for their base.
  ///
  /// - Throws: `DefinitionError` for organisms that do not exist.
  package func subjects(in library: Library, for seeds: TrialSeeds) throws -> [Subject] {
    let all = try Self.subjects(tier, organisms, nullChoice, in: library)
    return seeds == self.seeds.first ? all : all.filter { !hasOneModel || !$0.isOfNoPlant }
  }

  private static func subjects(
    _ tier: Tier, _ organisms: [String], _ choice: NullChoice, in library: Library
  ) throws -> [Subject] {
    let plants = try organisms.map(library.organism).flatMap { organism in
      tier.regimes(of: organism).map { (organism, $0) }
    }
    // One benign null for all plants of a standard regime: it is the easiest, and tells the same each time.
    var seen: Set<String> = []
    let matched = try plants.flatMap {
      try tier.nulls(choice, of: $0.0, $0.1, library)
    }
    let nulls =
      (choice == .none ? [] : tier.unmatchedNulls)
      + matched.filter { null in
        null.breadth != .broad || seen.insert(null.match?.regime.standard ?? "").inserted
      }
    return plants.map { Subject.organism($0.0, $0.1) } + nulls.map(Subject.null)
  }

  /// The trials of one pair, in order: Assay's own methods, then people's programs.
  package var methodRuns: [(method: MethodCode, access: AccessLevel)] {
    (methods.map(MethodCode.own) + programs.map(MethodCode.program)).flatMap { method in
      method.card.access.map { (method, $0) }
    }
  }

  /// How many pairs there are, over all seeds.
  package var pairCount: Int {
    let others = subjects.count { !hasOneModel || !$0.isOfNoPlant }
    return seeds.isEmpty ? 0 : subjects.count + others * (seeds.count - 1)
  }

  package var trialCount: Int { methodRuns.count * pairCount }
}
