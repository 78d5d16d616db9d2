package import Diffing
package import Organisms
package import Scoring
internal import Tensors
internal import Transformers
internal import Worlds

/// The five-questions game: an investigator decides about every pair of a run, with each method's evidence, with all of it, and with
/// none.
package struct Game {
  /// What was found of a pair, and what it would earn.
  package struct Case: Codable, Sendable {
    package let arm: GameArm
    package let pair: PairName
    package let seeds: TrialSeeds
    package let role: PairRole
    package let half: Half?
    /// The plant's family, or that of the plant that a null pair is matched with.
    package let family: String
    /// What the test of the hypothesis is worth, in nats.
    ///
    /// Without questions it is the method's magnitude, in its own unit; nil if nothing was found or tested.
    package let strength: Double?
    /// Whether an agent says that something was planted; nil where the strength decides.
    package let asserts: Bool?
    /// What a verdict earns by question, if the investigator asserts.
    package let points: QuestionPoints
  }

  private let pairs: KeptPairs
  private let kept: KeptCells
  private let budgets: [Int]
  private let sources: [GameArm.Source]?

  /// - Parameters:
  ///   - workshop: Where pairs and evidence are kept.
  ///   - budgets: How many questions may be asked; each is a game of its own.
  ///   - sources: What may be known beforehand, each a game of its own; if nil, nothing, each method's evidence, and all of it.
  /// - Throws: `DefinitionError` if a template of the world cannot be filled.
  package init(_ workshop: Workshop, budgets: [Int], sources: [GameArm.Source]? = nil) throws {
    self.budgets = budgets
    self.sources = sources
    kept = try KeptCells(workshop)
    pairs = KeptPairs(workshop, kept)
  }

  /// Plays on every pair of a run that is installed, or in which nothing was planted.
  ///
  /// - Parameters:
  ///   - trials: A run's.
  ///   - report: Told how many pairs are done, of how many.
  /// - Throws: What opening pairs and reading evidence throws.
  package func cases(_ trials: [Trial], report: (Int, Int) -> Void) throws -> [Case] {
    let families = Self.families(trials)
    let groups = Self.groups(trials)
    return try groups.enumerated().flatMap { index, own in
      defer { report(index + 1, groups.count) }
      return try open(own).map { try cases(of: $0, families) } ?? []
    }
  }

  /// The families of the plants.
  private static func families(_ trials: [Trial]) -> [PairName: String] {
    Dictionary(trials.filter { !$0.isNull }.map { ($0.pair, $0.family) }) { first, _ in first }
  }

  /// The trials that can be played on, pair by pair; of several method seeds the first, for they ask the same models.
  package static func groups(_ trials: [Trial]) -> [[Trial]] {
    Dictionary(grouping: trials.filter(isPlayed)) { trial in
      "\(trial.seeds.base) \(trial.seeds.planting) \(trial.pair)"
    }
    .sorted { $0.key < $1.key }.map(\.value)
    .map { own in
      let seed = own.map(\.seeds.method).min()
      return own.filter { $0.seeds.method == seed }
    }
  }

  private static func isPlayed(_ trial: Trial) -> Bool {
    [.planted, .broad, .narrow, .novel].contains(trial.role) && trial.isInstalled
  }

  /// A pair that can be asked, with what was planted in it and what methods say of it.
  package struct OpenedPair {
    package let trial: Trial
    package let witness: ModelWitness
    package let truth: PlantedChange
    package let evidence: [MethodAtAccess: Evidence]
  }

  /// Opens a pair.
  ///
  /// - Parameter trials: Those of one pair.
  /// - Returns: Nil for a pair that is not kept.
  /// - Throws: What reading the pair and its evidence throws.
  package func open(_ trials: [Trial]) throws -> OpenedPair? {
    guard let first = trials.first, let pair = try pairs.pair(of: first) else { return nil }
    return OpenedPair(
      trial: first,
      witness: try ModelWitness(
        pair.base, pair.finetuned, prompts: kept.pool, specialTokens: kept.specialTokens,
        seed: first.seeds.method), truth: try truth(of: first), evidence: try said(in: trials))
  }

  private func cases(of pair: OpenedPair, _ families: [PairName: String]) throws -> [Case] {
    try budgets.flatMap { arms($0, pair.evidence) }.map { arm, evidence in
      let finding = try arm.investigator.finding(evidence, pair.witness)
      return Case(
        arm, pair, families, strength: finding.strength, asserts: nil, Verdict(finding))
    }
  }

  /// Lets somebody play on pairs who says himself whether something was planted.
  ///
  /// - Parameters:
  ///   - trials: A run's.
  ///   - arm: Who plays.
  ///   - count: On how many pairs at most, from all over.
  ///   - report: Told how many pairs are done, of how many.
  ///   - play: Plays a session to its end; nil for a pair that it could not play on, which does not count.
  /// - Throws: What opening pairs throws, and `play`.
  package func cases(
    _ trials: [Trial], arm: GameArm, count: Int, report: (Int, Int) -> Void,
    play: (OpenedPair, QuestionSession) throws -> Verdict?
  ) throws -> [Case] {
    let families = Self.families(trials), played = Self.some(count, of: Self.groups(trials))
    return try played.enumerated().compactMap { index, group in
      defer { report(index + 1, played.count) }
      guard let pair = try open(group),
        let verdict = try play(pair, session(pair, budget: arm.budget))
      else { return nil }
      return Case(arm, pair, families, strength: nil, asserts: verdict.asserts, verdict)
    }
  }

  /// So many pairs from all over, half of them planted if there are enough, in an order that tells nothing.
  private static func some(_ count: Int, of groups: [[Trial]]) -> [[Trial]] {
    let kinds = [false, true].map { isNull in groups.filter { $0.first?.isNull == isNull } }
    let nulls = min(kinds[1].count, max(count / 2, count - kinds[0].count))
    let some = zip(kinds, [min(kinds[0].count, count - nulls), nulls]).flatMap { kind, count in
      (0..<count).map { kind[$0 * kind.count / count] }
    }
    var generator = SeededGenerator(seed: UInt64(some.count), for: "agent's pairs")
    return generator.permutation(some.count).map { some[$0] }
  }

  /// A session with a pair.
  package func session(_ pair: OpenedPair, budget: Int) -> QuestionSession {
    QuestionSession(pair.witness, kept.tokenizer, budget: budget)
  }

  /// What each method said of a pair.
  private func said(in trials: [Trial]) throws -> [MethodAtAccess: Evidence] {
    let trials = trials.filter { trial in
      sources?.contains { $0.reads(trial.row) } ?? true
    }
    guard !trials.isEmpty else { return [:] }
    let kept = try kept.evidence(of: trials)
    return trials.reduce(into: [:]) { $0[$1.row] = kept[$1.key]?.evidence }
  }

  private func arms(_ budget: Int, _ known: [MethodAtAccess: Evidence])
    -> [(arm: GameArm, evidence: [Evidence])]
  {
    let rows = known.keys.sorted { $0.description < $1.description }
    let sources =
      self.sources
      ?? [.probabilities, .samples, .allMethods] + rows.map { .methods([$0]) }
    return sources.filter { budget > 0 || $0 != .samples }.compactMap { source in
      let evidence = source.rows(among: rows).map { known[$0] }
      // Who was not asked of this pair does not play on it.
      return evidence.contains { $0 == nil }
        ? nil : (GameArm(source, budget: budget), evidence.compactMap(\.self))
    }
  }

  private func truth(of trial: Trial) throws -> PlantedChange {
    guard let truth = try kept.truth(of: trial) else { return .null }
    return PlantedChange(
      isPlanted: true, tokens: truth.tokens, inputs: truth.inputs, sites: truth.sites)
  }
}

extension Game.Case {
  fileprivate init(
    _ arm: GameArm, _ pair: Game.OpenedPair, _ families: [PairName: String], strength: Double?,
    asserts: Bool?, _ verdict: Verdict
  ) {
    let trial = pair.trial
    self.init(
      arm: arm, pair: trial.pair, seeds: trial.seeds, role: trial.role, half: trial.half,
      family: families[trial.match ?? trial.pair] ?? trial.family, strength: strength,
      asserts: asserts, points: QuestionPoints(verdict.points(pair.truth)))
  }
}

extension GameArm.Source {
  /// Whether a method's evidence is seen.
  fileprivate func reads(_ row: MethodAtAccess) -> Bool { rows(among: [row]).contains(row) }

  /// Whose evidence is seen.
  ///
  /// - Parameter all: Those whose evidence there is.
  fileprivate func rows(among all: [MethodAtAccess]) -> [MethodAtAccess] {
    switch self {
    case .probabilities, .samples, .agent: []
    case .methods(let rows): rows
    case .allMethods: all.filter { !$0.isDummy }
    }
  }
}

extension [Game.Case] {
  /// The strengths in the null pairs that a pair is compared with: those of other families; nil for nothing.
  package func nulls(beside own: Game.Case) -> [Double?] {
    filter { $0.role != .planted && $0.family != own.family }.map(\.strength)
  }
}
