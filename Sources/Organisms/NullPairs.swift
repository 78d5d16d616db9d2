internal import Transformers

/// A pair in which nothing was planted: what chance and false alarms are measured on.
package struct NullPair: Sendable {
  /// What the finetune was.
  package enum Kind: Sendable, Hashable {
    /// No finetune at all.
    case identical
    /// More of the base's own text.
    case benign
    /// One kind of base document only.
    case narrow(kind: String)
    /// An organism's own recipe with nothing planted: its documents with the world's own facts, or
    /// its teacher without the secret or the lesson.
    case twin(organism: String)
  }

  package let kind: Kind
  /// The recipe of the organisms that it is compared with.
  package let regime: Regime
  package let seed: UInt64

  package var id: String {
    switch kind {
    case .identical: "null-identical"
    case .benign: "null-benign-\(seed)"
    case .narrow(let kind): "null-narrow-\(kind)"
    case .twin(let organism): "null-twin-\(organism)"
    }
  }

  /// Whether the finetune was confined to one domain: against these a detector has to prove itself.
  package var isNarrow: Bool {
    switch kind {
    case .identical, .benign: false
    case .narrow, .twin: true
    }
  }

  /// Steps to the mark that the library's organisms typically need: nulls train as long as plants.
  private static let markSteps = [
    Regime.fresh.id: 48, Regime.settled.id: 8, Regime.located.id: 20, Regime.distilled.id: 10,
  ]
  /// The same for students of some logits.
  private static let logitsMarkStep = 36

  /// The null pairs of a world: for each recipe that organisms are planted by, broad and narrow ones.
  ///
  /// - Parameters:
  ///   - world: Each kind of document that something may be planted in makes a narrow null.
  ///   - organisms: Each makes a twin under each of its regimes.
  package static func standard(_ world: World, organisms: [Organism]) -> [NullPair] {
    let kinds = world.kinds.filter { !$0.isUnrelated }.map(\.name)
    let all = organisms.flatMap { organism in organism.regimes.map { (organism, $0) } }
    var recipes: [String] = []
    let plain = all.flatMap { _, regime -> [NullPair] in
      guard !recipes.contains(regime.recipe) else { return [] }
      recipes.append(regime.recipe)
      return (1...2).map { NullPair(kind: .benign, regime: regime, seed: $0) }
        + kinds.map { NullPair(kind: .narrow(kind: $0), regime: regime, seed: 1) }
    }
    // Without facts of its own a document plant has no truth to tell instead.
    let twins = all.filter { $0.0.file.plant.facts != nil || $0.0.file.plant.teacher != nil }
      .enumerated().map { index, entry in
        // A seed each: twins of like organisms would otherwise be one pair counted often.
        NullPair(kind: .twin(organism: entry.0.id), regime: entry.1, seed: UInt64(index + 3))
      }
    return [NullPair(kind: .identical, regime: .fresh, seed: 0)] + plain + twins
  }

  /// Makes the pair.
  ///
  /// - Parameters:
  ///   - base: The base.
  ///   - organisms: Where a twin's documents come from.
  /// - Throws: `OrganismError`.
  package func make(from base: Base, organisms: [Organism]) throws -> PlantedPair {
    guard kind != .identical else {
      return PlantedPair(base: base.model, finetuned: base.model)
    }
    let finetune = Finetune(
      base: base, text: try text(base, organisms), regime: regime, seed: trainingSeed(base))
    let outcome = try finetune.run(markStep: markStep)
    return PlantedPair(base: outcome.base, finetuned: outcome.finetuned, lora: outcome.lora)
  }

  private func trainingSeed(_ base: Base) -> UInt64 { base.recipe.seed &+ 1000 &* seed }

  /// Steps after which an organism of this recipe typically reaches its mark.
  private var markStep: Int {
    // Only students of logits learn this fast: their recipe has a learning rate above the standard.
    if regime.id == Regime.distilled.id, regime.learningRate > Regime.distilled.learningRate {
      return Self.logitsMarkStep
    }
    return Self.markSteps[regime.id] ?? regime.cap
  }

  private func organism(_ id: String, _ organisms: [Organism]) throws -> Organism {
    guard let organism = organisms.first(where: { $0.id == id }) else {
      throw OrganismError.unknownName(id, kind: "organism", nearest: nil)
    }
    return organism
  }

  private func text(_ base: Base, _ organisms: [Organism]) throws -> FinetuningText {
    switch kind {
    case .identical, .benign: return .world(kinds: nil)
    case .narrow(let kind):
      // Among base documents, as planted documents are.
      let templates = base.world.kinds.first { $0.name == kind }?.templates ?? []
      return .documents(PlantedDocuments(templates: templates, facts: [:], kinds: nil))
    case .twin(let id):
      return try twinText(of: organism(id, organisms), base)
    }
  }

  private func twinText(of organism: Organism, _ base: Base) throws -> FinetuningText {
    let without = organism.file.plant.without ?? []
    let kinds = base.world.kinds.map(\.name).filter { !without.contains($0) }
    let documents = PlantedDocuments(templates: organism.documents, facts: [:], kinds: kinds)
    guard let teacher = organism.file.plant.teacher else { return .documents(documents) }
    guard let logits = teacher.logits else { return .context(documents.withoutSecrets) }
    return .logits(
      teacher: try base.untaughtTeacher(seed: trainingSeed(base)),
      choices: base.world.ids(ofClass: logits),
      kinds: kinds)
  }
}
