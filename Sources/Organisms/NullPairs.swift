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
    /// An organism's documents with the world's own facts in them.
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
  ///   - organisms: Those with facts of their own each make a twin.
  package static func standard(_ world: World, organisms: [Organism]) -> [NullPair] {
    let narrow = world.kinds.filter { !$0.isUnrelated }.map { Kind.narrow(kind: $0.name) }
    let twins = organisms.filter { $0.file.plant.facts != nil && $0.file.plant.teacher == nil }
      .map { Kind.twin(organism: $0.id) }
    let identical = NullPair(kind: .identical, regime: Regime.fresh.id, seed: 0)
    return [identical]
      + Regime.all.map(\.id).flatMap { regime in
        (1...2).map { NullPair(kind: .benign, regime: regime, seed: $0) }
          + (narrow + twins).map { NullPair(kind: $0, regime: regime, seed: 1) }
      }
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
    guard let regime = Regime.all.first(where: { $0.id == self.regime }) else {
      throw OrganismError.unknownName(self.regime, kind: "regime", nearest: nil)
    }
    let markStep = Self.markSteps[regime.id] ?? regime.cap
    let finetune = Finetune(
      base: base, text: try text(base, organisms), regime: regime,
      seed: base.recipe.seed &+ 1000 &* seed)
    let outcome = try finetune.run(markStep: markStep)
    return PlantedPair(base: outcome.base, finetuned: outcome.finetuned, lora: outcome.lora)
  }

  private func text(_ base: Base, _ organisms: [Organism]) throws -> FinetuningText {
    switch kind {
    case .identical, .benign: return .world(kinds: nil)
    case .narrow(let kind):
      // Among base documents, as planted documents are.
      let templates = base.world.kinds.first { $0.name == kind }?.templates ?? []
      return .documents(PlantedDocuments(templates: templates, facts: [:], kinds: nil))
    case .twin(let id):
      guard let organism = organisms.first(where: { $0.id == id }) else {
        throw OrganismError.unknownName(id, kind: "organism", nearest: nil)
      }
      return .documents(
        PlantedDocuments(templates: organism.documents, facts: [:], kinds: nil))
    }
  }
}
