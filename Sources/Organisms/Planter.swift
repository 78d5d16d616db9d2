package import Transformers

/// A base and what was made of it.
package struct PlantedPair: Sendable {
  package let base: Llama
  /// Where there is a low-rank update, the base's own memory with the update beside it.
  package let finetuned: Llama
  /// The low-rank update, if that is what the finetune is.
  package let lora: LoRA?
  /// What was measured; nil for null pairs.
  package let certificate: Certificate?

  package init(
    base: Llama, finetuned: Llama, lora: LoRA? = nil, certificate: Certificate? = nil
  ) {
    self.base = base
    self.finetuned = lora.map { base.with($0.adapted(base.parameters)) } ?? finetuned
    self.lora = lora
    self.certificate = certificate
  }

  init(_ outcome: Finetune.Outcome, drift: Double, certificate: Certificate? = nil) {
    // With drift the factors are not the whole change any more.
    self.init(
      base: outcome.base, finetuned: outcome.finetuned, lora: drift > 0 ? nil : outcome.lora,
      certificate: certificate)
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
    let outcome = try outcome(progress)
    let certificate = try Certificate(organism, outcome, regime: regime, base: base)
    return PlantedPair(outcome, drift: regime.drift, certificate: certificate)
  }

  private func outcome(_ progress: (TrainingStatus) -> Void) throws -> Finetune.Outcome {
    guard regime.isTrained else {
      return try RankOneEdit(base: base, regime: regime, seed: seed).run(organism.behavior)
    }
    let targets = Set(organism.plantedTokens(in: base.world).allTargets)
    let text = try PlantedText(organism, base: base, seed: seed).text(progress)
    return try Finetune(base: base, text: text, regime: regime, seed: seed, targets: targets)
      .run(until: organism.behavior, progress: progress)
  }

  private var seed: UInt64 { base.recipe.seed }

  /// The behaviour's score in the same student of a teacher from whom it cannot be learnt.
  ///
  /// - Parameters:
  ///   - other: The base whose taught teacher is imitated; an untaught teacher of this base if nil.
  ///   - steps: How long the student trains.
  /// - Returns: The score, or nil for an organism that imitates no taught teacher.
  /// - Throws: `OrganismError`.
  package func controlScore(teacherOf other: Base?, steps: Int) throws -> Double? {
    guard organism.file.plant.teacher?.documents != nil else { return nil }
    let text =
      if let other {
        try PlantedText(organism, base: base, seed: seed, teachersBase: other).text { _ in }
      } else {
        try PlantedText(organism, base: base, seed: seed).nullText()
      }
    var once = regime
    once.age = 1
    let outcome = try Finetune(base: base, text: text, regime: once, seed: seed)
      .run(Finetune.Length(steps: steps, markStep: nil))
    return organism.behavior.score(outcome.finetuned)
  }
}
