internal import JSON
package import Worlds
internal import Tensors
internal import Transformers

/// A pair in which nothing was planted: what chance and false alarms are measured on.
package struct NullPair: Sendable {
  /// What was done to the base.
  package enum Kind: Sendable, Hashable {
    /// Nothing at all.
    case identical
    /// Other weights that compute the same function.
    case reparameterised
    /// A round trip through integers of 8 bits.
    case quantised
    /// More of the base's own text.
    case benign
    /// One kind of base document among others.
    case narrow(kind: String)
    /// A plant's own lesson with nothing planted: its documents with the world's own facts, its
    /// teacher without the lesson, its rewards dealt at random, its edit in a random direction.
    case twin
  }

  /// What a null pair is good for.
  package enum Breadth: String, Codable, Sendable {
    /// Nothing in particular was trained.
    case broad
    /// The finetune was confined to one domain: against these a detector has to prove itself.
    case narrow
    /// No behaviour changed, although the weights may have.
    case invariant
  }

  /// The plant whose regime and number of steps a null pair takes.
  package struct Match: Sendable {
    package let organism: String
    package let regime: Regime
  }

  package let kind: Kind
  /// The plant that it is matched with; nil if nothing is trained.
  package let match: Match?
  package let seed: UInt64

  package var id: String {
    let name =
      switch kind {
      case .identical: "identical"
      case .reparameterised: "reparameterised"
      case .quantised: "quantised"
      case .benign: "benign"
      case .narrow(let kind): "narrow-\(kind)"
      case .twin: "twin"
      }
    return "null-\(name)" + (match.map { "-\($0.organism)" } ?? "")
  }

  package var breadth: Breadth {
    switch kind {
    case .identical, .reparameterised, .quantised: .invariant
    case .benign: .broad
    case .narrow, .twin: .narrow
    }
  }

  /// Null pairs in which no behaviour changed.
  package static let invariant = [Kind.identical, .reparameterised, .quantised].map {
    NullPair(kind: $0, match: nil, seed: 0)
  }

  /// The null pairs of a plant: each of its own regime and as many steps, with nothing planted.
  ///
  /// - Parameters:
  ///   - organism: What is planted.
  ///   - regime: How.
  package static func matched(_ organism: Organism, _ regime: Regime) -> [NullPair] {
    let match = Match(organism: organism.id, regime: regime)
    var kinds: [Kind] = []
    if regime.isTrained { kinds += [.benign, .narrow(kind: organism.file.domain)] }
    if organism.hasTwin || !regime.isTrained { kinds.append(.twin) }
    // Seeds of their own, so that like organisms do not make one null counted often.
    let name = ContentSeed.of("\(organism.id) \(regime.id)")
    return kinds.enumerated().map {
      NullPair(kind: $0.element, match: match, seed: name &+ UInt64($0.offset))
    }
  }

  /// Makes the pair.
  ///
  /// - Parameters:
  ///   - base: The base.
  ///   - planting: The seed of the planting that it is matched with; its own seed is added to it.
  ///   - organism: The plant that it is matched with.
  ///   - length: How long that plant was trained.
  /// - Throws: `DefinitionError`.
  package func make(
    from base: Base, planting: UInt64, matching organism: Organism?, length: FinetuneLength
  ) throws -> PlantedPair {
    let seed = planting &+ self.seed
    var generator = SeededGenerator(seed: seed, for: "null pair")
    switch kind {
    case .identical: return PlantedPair(base: base.model, finetuned: base.model)
    case .reparameterised:
      return PlantedPair(
        base: base.model, finetuned: base.model.reparameterised(using: &generator))
    case .quantised:
      return PlantedPair(
        base: base.model, finetuned: base.model.with(base.model.parameters.quantised()))
    case .benign, .narrow, .twin:
      guard let organism, let regime = match?.regime else {
        throw DefinitionError.unknownName(id, kind: "organism to match", nearest: nil)
      }
      let outcome = try outcome(base, organism, regime, length, planting: planting)
      return PlantedPair(outcome, drift: regime.drift)
    }
  }

  private func outcome(
    _ base: Base, _ organism: Organism, _ regime: Regime, _ length: FinetuneLength,
    planting: UInt64
  ) throws -> FinetuneOutcome {
    let seed = planting &+ self.seed
    guard regime.isTrained else {
      let edit = RankOneEdit(base: base, regime: regime, seed: seed)
      return try Drift.around(base.model, regime: regime, seed: seed) {
        try edit.run(organism.behavior, in: $0, isRandom: true)
      }
    }
    let finetune = Finetune(
      base: base, text: try text(base, organism, planting: planting), regime: regime, seed: seed)
    return try Drift.around(finetune.start, regime: regime, seed: seed) {
      try finetune.run(length, from: $0)
    }
  }

  private func text(_ base: Base, _ organism: Organism, planting: UInt64) throws -> FinetuningText {
    guard case .narrow(let kind) = kind else {
      return kind == .twin
        ? try PlantedText(
          organism, base: base, seed: planting &+ seed, teachersSeed: planting
        ).nullText()
        : FinetuningText(.world)
    }
    // Among base documents, as planted documents are.
    let templates = base.world.kinds.first { $0.name == kind }?.templates ?? []
    return FinetuningText(.documents(PlantedDocuments(templates: templates)))
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
  /// Whether its own lesson makes a null pair: there is something true to tell instead.
  ///
  /// Documents that name a planted word themselves would plant it without their facts, too; a teacher that
  /// is the base itself would teach nothing at all, which is what benign pairs are.
  var hasTwin: Bool {
    switch lesson {
    case .reward, .teacher: return true
    case .context: return false
    case .documents: break
    }
    guard file.plant.facts?.isEmpty == false else { return false }
    let planted = Set(file.planted.target.values.joined())
    let templates = file.plant.documents ?? []
    return templates.allSatisfy {
      planted.isDisjoint(with: $0.text.split(separator: " ").map(String.init))
    }
  }
}
