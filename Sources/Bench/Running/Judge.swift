internal import Transformers
internal import Diffing
internal import Organisms
internal import Scoring
internal import Worlds

/// Scores what methods said of a pair: arithmetic on what is kept, without a model.
struct Judge {
  private let subject: Subject
  private let seeds: TrialSeeds
  /// What was planted.
  let truth: PlantedChange
  private let context: ScoringContext
  private let failures: [String]
  private let layers: Int

  /// - Parameters:
  ///   - failures: Why the plant is not installed, as its certificate says; none for null pairs.
  ///   - measured: What was measured of the plant.
  ///   - layers: Blocks of the models.
  /// - Throws: `DefinitionError` if a template cannot be filled.
  init(
    _ library: Library, subject: Subject, seeds: TrialSeeds, failures: [String], measured: Measured,
    layers: Int, prompts: WorldPrompts, floors: Floors?
  ) throws {
    self.subject = subject
    self.seeds = seeds
    self.failures = failures
    self.layers = layers
    let world = library.world
    switch subject {
    case .organism(let organism, let regime):
      let written = organism.plantedChange(
        in: world, pool: prompts.pool, layers: layers, regime: regime)
      // What sets the behaviour off is measured; what the file says of it is checked against that. On one that
      // hardly rose, no intervention can be told from another.
      let isClear = (measured.rise ?? 0) > MeasuredEffects.leastGap
      truth = PlantedChange(
        isPlanted: true, tokens: written.tokens, inputs: measured.labels, sites: written.sites,
        rank: written.rank, behavior: isClear ? written.behavior : nil)
      context = ScoringContext(
        vocabulary: world.tokenizer.count, layers: layers,
        specialTokens: prompts.specialTokens, siblings: floors?.siblings(of: organism.id) ?? [],
        frequencyRanking: floors?.frequencies[organism.id] ?? [], seed: seeds.method,
        sameWords: world.lexicon.language.sameWords)
    case .null(let null):
      // What was planted in a ghost is known, and nothing else can be asked of it.
      truth =
        null.breadth == .ghost
        ? PlantedChange(
          isPlanted: false, tokens: null.match?.organism.plantedTokens(in: world)) : .null
      context = ScoringContext(
        vocabulary: world.tokenizer.count, layers: layers,
        specialTokens: prompts.specialTokens, siblings: [], frequencyRanking: [],
        seed: seeds.method, sameWords: world.lexicon.language.sameWords)
    }
  }

  /// What the two models of a plant were measured to do.
  struct Measured {
    /// Which prompts of the pool set the behaviour off; nil if that was not measured.
    var labels: [Bool]?
    /// How much more of the behaviour the finetuned model shows; nil if that was not measured.
    var rise: Double?
  }

  /// What is asked to see whether an intervention works; nil where nothing was planted, or is not there.
  var behavior: ProbeSet? { failures.isEmpty ? truth.behavior : nil }

  /// Scores one cell.
  func trial(_ kept: CellEvidence, card: MethodCard, effects: MeasuredEffects?) -> Trial {
    Trial(
      cell: Cell(kept.cell.row, subject.name, seeds), key: kept.key, family: subject.family,
      half: subject.half, standard: subject.standard,
      planting: Trial.Planting(subject, layers: layers), role: subject.role,
      match: subject.match, failures: failures,
      answersWhether: card.questions.contains(.whether), magnitude: kept.evidence.magnitude,
      scores: scores(Claims(kept.evidence, effects: effects)), cost: kept.cost,
      versions: kept.versions)
  }

  private func scores(_ claims: Claims) -> [Question: Score] {
    guard [.planted, .ghost].contains(subject.role) else { return [:] }
    guard failures.isEmpty else { return Scorers.unasked("the behaviour is not installed") }
    return Scorers.scores(claims, against: truth, in: context)
  }
}

/// What any ranking reaches: other organisms' keys, and the finetuning text's own frequencies.
struct Floors {
  private let tokens: [(organism: String, file: String, tokens: PlantedChange.Tokens)]
  /// Tokens by how much more frequent they are in an organism's text than in the world's.
  let frequencies: [String: [Int]]

  init(_ library: Library) throws {
    tokens = library.organisms.map {
      ($0.id, $0.file.id, $0.plantedTokens(in: library.world))
    }
    frequencies = try library.organisms.reduce(into: [:]) {
      $0[$1.id] = try $1.frequencyRanking(in: library.world)
    }
  }

  /// The keys of all organisms of other files.
  func siblings(of organism: String) -> [PlantedChange.Tokens] {
    let file = tokens.first { $0.organism == organism }?.file
    return tokens.filter { $0.file != file }.map(\.tokens)
  }
}
