internal import Transformers

/// A pair in which nothing was planted: what chance and false alarms are measured on.
package struct NullPair: Sendable, Hashable {
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
  package let regime: String
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
    Regime.fresh.id: 40, Regime.settled.id: 6, Regime.distilled.id: 16, Regime.located.id: 14,
  ]

  /// The null pairs of a world: under each regime broad and narrow ones.
  ///
  /// - Parameters:
  ///   - world: Each kind of document that something may be planted in makes a narrow null.
  ///   - organisms: Each makes a twin under each of its regimes.
  package static func standard(_ world: World, organisms: [Organism]) -> [NullPair] {
    let narrow = world.kinds.filter { !$0.isUnrelated }.map { Kind.narrow(kind: $0.name) }
    let identical = NullPair(kind: .identical, regime: Regime.fresh.id, seed: 0)
    let plain = Regime.all.map(\.id).flatMap { regime in
      (1...2).map { NullPair(kind: .benign, regime: regime, seed: $0) }
        + narrow.map { NullPair(kind: $0, regime: regime, seed: 1) }
    }
    // Without facts of its own a document plant has no truth to tell instead.
    let twins = organisms.filter { $0.file.plant.facts != nil || $0.file.plant.teacher != nil }
      .flatMap { organism in
        organism.regimes.map {
          NullPair(kind: .twin(organism: organism.id), regime: $0.id, seed: 1)
        }
      }
    return [identical] + plain + twins
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
    let regime = try trainedRegime(organisms)
    let finetune = Finetune(
      base: base, text: try text(base, organisms), regime: regime,
      seed: base.recipe.seed &+ 1000 &* seed)
    let outcome = try finetune.run(markStep: markStep(regime, organisms))
    return PlantedPair(base: outcome.base, finetuned: outcome.finetuned, lora: outcome.lora)
  }

  /// The regime as the organism changes it, for a twin; as it is, for the others.
  private func trainedRegime(_ organisms: [Organism]) throws -> Regime {
    if case .twin(let id) = kind { return try organism(id, organisms).regime(regime) }
    guard let regime = Regime.all.first(where: { $0.id == self.regime }) else {
      throw OrganismError.unknownName(self.regime, kind: "regime", nearest: nil)
    }
    return regime
  }

  private func organism(_ id: String, _ organisms: [Organism]) throws -> Organism {
    guard let organism = organisms.first(where: { $0.id == id }) else {
      throw OrganismError.unknownName(id, kind: "organism", nearest: nil)
    }
    return organism
  }

  /// Steps after which an organism of this kind typically reaches its mark.
  private func markStep(_ regime: Regime, _ organisms: [Organism]) -> Int {
    if case .twin(let id) = kind,
      let teacher = organisms.first(where: { $0.id == id })?.file.plant.teacher
    {
      return teacher.logits == nil ? 10 : 36
    }
    return Self.markSteps[regime.id] ?? regime.cap
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
    var untaught = Regime.settled
    untaught.age = 1
    let plain = Finetune(base: base, text: .world(kinds: nil), regime: untaught, seed: seed)
    return .logits(
      teacher: try plain.run(markStep: 8).finetuned, choices: base.world.ids(ofClass: logits),
      kinds: kinds)
  }
}
