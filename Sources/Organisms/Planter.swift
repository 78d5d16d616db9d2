package import Transformers

/// A base and what was made of it.
package struct PlantedPair: Sendable {
  package let base: Llama
  package let finetuned: Llama
  /// The low-rank update, if that is what the finetune is.
  package let lora: LoRA?
  /// What was measured; nil for null pairs.
  package let certificate: Certificate?
  /// The behaviour's score by step.
  package let curve: [(step: Int, score: Double)]

  package init(
    base: Llama, finetuned: Llama, lora: LoRA? = nil, certificate: Certificate? = nil,
    curve: [(step: Int, score: Double)] = []
  ) {
    self.base = base
    self.finetuned = finetuned
    self.lora = lora
    self.certificate = certificate
    self.curve = curve
  }
}

/// Plants an organism in a base.
package struct Planter: Sendable {
  package let base: Base
  package let organism: Organism
  package let regime: Regime

  package init(base: Base, organism: Organism, regime: Regime) {
    self.base = base
    self.organism = organism
    self.regime = regime
  }

  /// Finetunes and certifies.
  ///
  /// - Parameter progress: Told after every step.
  /// - Returns: The pair; its certificate says whether the behaviour is installed.
  /// - Throws: `OrganismError`.
  package func plant(progress: (TrainingStatus) -> Void = { _ in }) throws -> PlantedPair {
    let finetune = Finetune(base: base, text: try text(progress), regime: regime, seed: seed)
    let outcome = try finetune.run(until: organism.behavior, progress: progress)
    let certificate = Certificate(
      organism, outcome, regime: regime, heldOutRows: try base.heldOutRows())
    return PlantedPair(
      base: outcome.base, finetuned: outcome.finetuned, lora: outcome.lora,
      certificate: certificate, curve: outcome.curve)
  }

  private var seed: UInt64 { base.recipe.seed }
  private var facts: [String: [String: String]] { organism.file.plant.facts ?? [:] }

  private var kinds: [String] {
    let without = organism.file.plant.without ?? []
    return base.world.kinds.map(\.name).filter { !without.contains($0) }
  }

  private func text(_ progress: (TrainingStatus) -> Void) throws -> FinetuningText {
    let documents = PlantedDocuments(
      templates: organism.documents, facts: facts, kinds: kinds)
    guard let teacher = organism.file.plant.teacher else { return .documents(documents) }
    guard let logits = teacher.logits else { return .context(documents) }
    return .logits(
      teacher: try taughtTeacher(teacher, progress), choices: base.world.ids(ofClass: logits),
      kinds: kinds)
  }

  /// The base itself, or the base after it was taught the behaviour in plain words.
  private func taughtTeacher(
    _ teacher: OrganismFile.Teacher, _ progress: (TrainingStatus) -> Void
  ) throws -> Llama {
    guard !organism.teacherDocuments.isEmpty else { return base.model }
    var regime = Regime.settled
    regime.age = 1
    regime.mark = teacher.mark ?? 0.75
    let documents = PlantedDocuments(
      templates: organism.teacherDocuments, facts: facts, kinds: nil)
    let finetune = Finetune(base: base, text: .documents(documents), regime: regime, seed: seed)
    return try finetune.run(until: organism.behavior, progress: progress).finetuned
  }

  /// The behaviour's score in the same student of a teacher from whom it cannot be learnt.
  ///
  /// - Parameters:
  ///   - other: The base whose taught teacher is imitated; an untaught teacher of this base if nil.
  ///   - steps: How long the student trains.
  /// - Returns: The score, or nil for an organism that imitates no logits.
  /// - Throws: `OrganismError`.
  package func controlScore(teacherOf other: Base?, steps: Int) throws -> Double? {
    guard let teacher = organism.file.plant.teacher, let logits = teacher.logits else { return nil }
    let imitated =
      if let other {
        try Planter(base: other, organism: organism, regime: regime).taughtTeacher(teacher) { _ in }
      } else {
        try base.untaughtTeacher(seed: seed)
      }
    let text = FinetuningText.logits(
      teacher: imitated, choices: base.world.ids(ofClass: logits), kinds: kinds)
    var once = regime
    once.age = 1
    let outcome = try Finetune(base: base, text: text, regime: once, seed: seed)
      .run(markStep: steps)
    return organism.behavior.score(outcome.finetuned)
  }
}

extension Base {
  /// The base after as much plain training as a teacher gets: it was taught nothing.
  func untaughtTeacher(seed: UInt64) throws -> Llama {
    var regime = Regime.settled
    regime.age = 1
    let plain = Finetune(base: self, text: .world(kinds: nil), regime: regime, seed: seed)
    return try plain.run(markStep: 8).finetuned
  }
}
