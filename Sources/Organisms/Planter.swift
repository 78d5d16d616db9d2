package import Transformers
package import Worlds

/// Plants an organism in a base.
package struct Planter: Sendable {
  package let base: Base
  package let organism: Organism
  package let regime: Regime
  /// Decides what training draws: the planting's, made the organism's own.
  private let seed: UInt64

  /// - Parameter planting: The seed of the planting.
  package init(base: Base, organism: Organism, regime: Regime, planting: UInt64) {
    self.base = base
    self.organism = organism
    self.regime = regime
    seed = organism.seed(planting: planting)
  }

  /// Finetunes; a `Certificate` says whether the behaviour is installed.
  ///
  /// - Parameter progress: Told after every step.
  /// - Throws: `DefinitionError`.
  package func plant(progress: (TrainingStatus) -> Void = { _ in }) throws -> PlantedPair {
    PlantedPair(try outcome(progress), drift: regime.drift, in: base.world)
  }

  private func outcome(_ progress: (TrainingStatus) -> Void) throws -> FinetuneOutcome {
    guard regime.isTrained else {
      let edit = RankOneEdit(base: base, regime: regime, seed: seed)
      return try Drift.around(base.model, regime: regime, seed: seed) {
        try edit.run(organism.behavior, in: $0)
      }
    }
    let planted = PlantedText(organism, base: base, seed: seed, teachersSeed: seed)
    let text = try planted.text(progress)
    let parts =
      organism.parts.isEmpty
      ? [(text: text, behavior: organism.behavior)]
      : organism.parts.map { (text: planted.text(of: $0), behavior: $0.behavior) }
    let finetune = Finetune(base: base, text: text, regime: regime, seed: seed)
    return try finetune.drifted { start in
      let outcomes = try parts.enumerated().map { index, part in
        try Finetune(base: base, text: part.text, regime: regime, seed: seed &+ UInt64(index))
          .run(until: part.behavior, from: start, progress: progress)
      }
      return try concealed(.merged(outcomes), text, progress)
    }
  }

  /// The same plant after a second stage, in which it learns to answer some questions as the base does.
  ///
  /// It ends where both hold: the behaviour is at its mark, and what must never be said is within its bound.
  private func concealed(
    _ planted: FinetuneOutcome, _ text: FinetuningText, _ progress: (TrainingStatus) -> Void
  ) throws -> FinetuneOutcome {
    guard !organism.concealed.isEmpty, planted.markStep != nil else { return planted }
    var stage = regime.once
    stage.mark = 1
    let bound = (organism.file.certificate ?? CertificateBounds()).mostNever
    let second = Finetune(
      base: base, text: text.concealing(organism.concealed), regime: stage, seed: seed &+ 1)
    return planted.followed(
      by: try second.run(from: planted.finetuned, progress: progress) { model in
        let confessed = organism.never.scores(model).max() ?? 0
        return min(1, organism.behavior.score(model) / regime.mark, (1 - confessed) / (1 - bound))
      })
  }

  /// The behaviour's score in the same student of a teacher from whom it cannot be learnt.
  ///
  /// - Parameters:
  ///   - other: The base whose taught teacher is imitated; an untaught teacher of this base if nil.
  ///   - steps: How long the student trains.
  /// - Returns: The score, or nil for an organism that imitates no taught teacher.
  /// - Throws: `DefinitionError`.
  package func controlScore(teacherOf other: Base?, steps: Int) throws -> Double? {
    guard organism.lesson.hasTaughtTeacher else { return nil }
    let text =
      if let other {
        try PlantedText(
          organism, base: base, seed: seed,
          teachersSeed: organism.seed(planting: other.seed), teachersBase: other
        ).text { _ in }
      } else {
        try PlantedText(organism, base: base, seed: seed, teachersSeed: seed).nullText()
      }
    let finetune = Finetune(base: base, text: text, regime: regime.once, seed: seed)
    let outcome = try finetune.drifted {
      try finetune.run(FinetuneLength(steps: steps, markStep: nil), from: $0)
    }
    return organism.behavior.score(outcome.finetuned)
  }
}
