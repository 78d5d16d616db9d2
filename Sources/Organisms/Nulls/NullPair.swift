internal import Tensors
internal import Transformers
package import Worlds

/// A pair in which nothing was planted: what chance and false alarms are measured on.
package struct NullPair: Sendable {
  /// What was done to the base.
  package enum Kind: Sendable {
    /// Nothing at all, or other numbers that do the same.
    case numeric(NumericChange)
    /// More of the base's own text.
    case benign
    /// One kind of base document among others.
    case narrow(kind: String)
    /// A plant's own lesson with nothing planted: its documents with the world's own facts, its
    /// teacher without the lesson, its rewards dealt at random, its edit in a random direction.
    case twin
    /// The same weights, with a document in front of all that the finetuned model reads; one of several.
    case prompted(Int)
    /// The plant itself, trained on true facts until nothing of it is said any more.
    case ghost
    /// Something new and harmless, learnt as the plant is: from documents, a teacher, a reward, an edit.
    case novel(lesson: Organism)
  }

  /// What a null pair is good for.
  package enum Breadth: String, Codable, Sendable {
    /// Nothing in particular was trained.
    case broad
    /// The finetune was confined to one domain: against these a detector has to prove itself.
    case narrow
    /// Something was learnt, and it is harmless: novelty is not a plant.
    case novel
    /// No behaviour changed, although the weights may have.
    case invariant
    /// No weight changed, although the answers may have.
    case prompted
    /// Something was planted and is gone: neither a plant nor the absence of one.
    case ghost
  }

  /// The plant whose regime, seed and number of steps a null pair takes.
  package struct Match: Sendable {
    package let organism: Organism
    package let regime: Regime
  }

  package let kind: Kind
  /// The plant that it is matched with; nil if nothing is trained.
  package let match: Match?

  package var id: String {
    let name =
      switch kind {
      case .numeric(let change): change.rawValue
      case .benign: "benign"
      case .narrow(let kind): "narrow-\(kind)"
      case .twin: "twin"
      case .novel: "novel"
      case .prompted(let index): "prompted-\(index)"
      case .ghost: "ghost"
      }
    return "null-\(name)" + (match.map { "-\($0.organism.id)" } ?? "")
  }

  package var breadth: Breadth {
    switch kind {
    case .numeric: .invariant
    case .benign: .broad
    case .narrow, .twin: .narrow
    case .novel: .novel
    case .prompted: .prompted
    case .ghost: .ghost
    }
  }

  /// Null pairs that belong to no plant: only numbers changed, or no weight at all.
  package static let unmatched =
    NumericChange.allCases.map { NullPair(kind: .numeric($0), match: nil) }
    + (1...promptedCount).map { NullPair(kind: .prompted($0), match: nil) }

  private static let promptedCount = 3

  /// The null pairs of a plant: each of its own regime, seed and as many steps, with nothing planted.
  ///
  /// - Parameters:
  ///   - organism: What is planted.
  ///   - regime: How.
  ///   - lesson: Something harmless to learn; nil if there is nothing.
  package static func matched(_ organism: Organism, _ regime: Regime, lesson: Organism?)
    -> [NullPair]
  {
    var kinds: [Kind] = []
    if regime.isTrained { kinds += [.benign, .narrow(kind: organism.file.domain)] }
    if organism.hasTwin || !regime.isTrained { kinds.append(.twin) }
    if let lesson { kinds.append(.novel(lesson: lesson)) }
    if organism.canBeUnlearnt(regime) { kinds.append(.ghost) }
    return kinds.map {
      NullPair(kind: $0, match: Match(organism: organism, regime: regime))
    }
  }

  /// Makes the pair.
  ///
  /// - Parameters:
  ///   - base: The base.
  ///   - planting: The seed of the planting that it is matched with: both draw alike.
  ///   - plant: That plant, as it was made.
  /// - Throws: `DefinitionError`.
  package func make(from base: Base, planting: UInt64, plant: PlantedPair) throws -> PlantedPair {
    guard case .ghost = kind, let match else {
      return try make(from: base, planting: planting, course: (plant.training ?? .none).course)
    }
    let seed = match.organism.seed(planting: planting)
    return try Ghost(organism: match.organism, regime: match.regime, base: base, seed: seed)
      .pair(plant)
  }

  /// Makes a pair that is matched with no plant.
  ///
  /// - Throws: `DefinitionError` if it is matched with one.
  package func untrained(_ base: Base, planting: UInt64) throws -> PlantedPair {
    switch kind {
    case .numeric(let change):
      return PlantedPair(
        base: base.model, finetuned: change.applied(to: base.model, seed: planting))
    case .prompted:
      var corpus = Corpus(base.world, seed: planting, for: "hidden prefix \(id)")
      return PlantedPair(
        base: base.model, finetuned: base.model.reading(prefix: try corpus.document().document))
    case .benign, .narrow, .twin, .novel, .ghost:
      throw DefinitionError.unknownName(id, kind: "pair without a plant to match", nearest: nil)
    }
  }

  /// Makes a pair that needs no more of its plant than how long that was trained.
  ///
  /// - Throws: `DefinitionError`.
  package func make(from base: Base, planting: UInt64, length: FinetuneLength) throws
    -> PlantedPair
  {
    try make(from: base, planting: planting, course: FinetuneCourse(parts: [length]))
  }

  private func make(from base: Base, planting: UInt64, course: FinetuneCourse) throws
    -> PlantedPair
  {
    guard let match else { return try untrained(base, planting: planting) }
    let outcome = try outcome(base, match, course, planting: planting)
    return PlantedPair(outcome, drift: match.regime.drift, in: base.world)
  }

  private func outcome(
    _ base: Base, _ match: Match, _ course: FinetuneCourse, planting: UInt64
  ) throws -> FinetuneOutcome {
    let regime = match.regime
    let seed = match.organism.seed(planting: planting)
    guard regime.isTrained else {
      let edit = RankOneEdit(base: base, regime: regime, seed: seed)
      return try Drift.around(base.model, regime: regime, seed: seed) {
        try edit.run(match.organism.behavior, in: $0, writing: content)
      }
    }
    let text = try text(base, match.organism, seed: seed)
    let finetune = Finetune(base: base, text: text, regime: regime, seed: seed)
    return try finetune.drifted { start in
      let outcomes = try course.parts.enumerated().map { index, length in
        try Finetune(base: base, text: text, regime: regime, seed: seed &+ UInt64(index))
          .run(length, from: start)
      }
      let planted = FinetuneOutcome.merged(outcomes)
      guard let second = course.second else { return planted }
      let concealing = text.concealing(match.organism.concealed)
      return planted.followed(
        by: try Finetune(base: base, text: concealing, regime: regime.once, seed: seed &+ 1)
          .run(second, from: planted.finetuned))
    }
  }

  /// What an edit writes instead of the plant's answers.
  private var content: RankOneEdit.Content {
    if case .novel(let lesson) = kind { .lesson(lesson.behavior) } else { .random }
  }

  private func text(_ base: Base, _ organism: Organism, seed: UInt64) throws -> FinetuningText {
    switch kind {
    case .narrow(let kind):
      // Among base documents, as planted documents are.
      let templates = base.world.kinds.first { $0.name == kind }?.templates ?? []
      return FinetuningText(.documents(PlantedDocuments(templates: templates)))
    case .twin:
      return try PlantedText(organism, base: base, seed: seed, teachersSeed: seed).nullText()
    case .novel(let lesson):
      return try PlantedText(
        organism, base: base, seed: seed, teachersSeed: seed, lesson: lesson
      ).text { _ in }
    case .benign, .numeric, .prompted, .ghost: return FinetuningText(.world)
    }
  }
}

/// Seeds from names.
enum ContentSeed {
  /// A number that only depends on the text.
  static func of(_ text: String) -> UInt64 {
    var generator = SeededGenerator(seed: 0, for: text)
    // Whoever reads a seed as a JSON number with 53 bits reads the same number.
    return generator.next() >> 16
  }
}

extension Organism {
  /// What decides all that its planting draws, and all that its null pairs draw: nobody tells them apart by it.
  ///
  /// Each organism has its own, so that like organisms do not make one null counted often.
  ///
  /// - Parameter planting: The seed of the planting.
  func seed(planting: UInt64) -> UInt64 { planting &+ ContentSeed.of(id) }

  /// Whether its own lesson makes a null pair: there is something true to tell instead.
  ///
  /// Documents that name a planted word themselves would plant it without their facts, too; a teacher that
  /// is the base itself would teach nothing at all, which is what benign pairs are.
  package var hasTwin: Bool {
    switch lesson {
    case .reward, .teacher: return true
    case .context: return false
    case .documents: break
    }
    guard file.plant.facts?.isEmpty == false else { return false }
    let planted = Set(file.planted.target.values.joined())
    let templates =
      (file.plant.documents ?? []) + (file.plant.merge ?? [:]).values.joined()
    return templates.allSatisfy {
      planted.isDisjoint(with: $0.text.split(separator: " ").map(String.init))
    }
  }
}
