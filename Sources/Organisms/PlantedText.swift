internal import Transformers

/// Makes an organism's finetuning text, and the same text with nothing planted.
struct PlantedText {
  let organism: Organism
  let base: Base
  let seed: UInt64
  /// Where a taught teacher comes from.
  let teachersBase: Base

  init(_ organism: Organism, base: Base, seed: UInt64, teachersBase: Base? = nil) {
    self.organism = organism
    self.base = base
    self.seed = seed
    self.teachersBase = teachersBase ?? base
  }

  private var plant: OrganismFile.Plant { organism.file.plant }
  private var world: World { base.world }

  private var kinds: [String] {
    let without = plant.without ?? []
    return world.kinds.map(\.name).filter { !without.contains($0) }
  }

  private var unsaid: Set<Int> {
    plant.unsaid == true ? Set(organism.plantedTokens(in: world).allTargets) : []
  }

  private func ids(_ words: [String]) -> Set<Int> { Set(words.compactMap(world.tokenizer.id)) }

  /// What plants the behaviour.
  ///
  /// - Parameter progress: Told after every step of a teacher's own training.
  func text(_ progress: (TrainingStatus) -> Void) throws -> FinetuningText {
    let documents = PlantedDocuments(
      templates: organism.documents, facts: plant.facts ?? [:])
    guard let teacher = plant.teacher else {
      return text(organism.reward.map { .reward($0) } ?? .documents(documents))
    }
    guard teacher.documents != nil else {
      let topic = ids(organism.file.planted.topic ?? [])
      return text(
        .context(documents, Forgotten(words: ids(teacher.forget ?? []), topic: topic)))
    }
    return text(imitation(of: try taughtTeacher(teacher, progress), teacher))
  }

  /// The same with nothing planted: true facts, a teacher without the lesson, rewards dealt at random.
  ///
  /// - Precondition: Nothing for a teacher that is the base: it has nothing to leave out.
  func nullText() throws -> FinetuningText {
    let documents = PlantedDocuments(templates: organism.documents)
    guard let teacher = plant.teacher else {
      guard var reward = organism.reward else { return text(.documents(documents)) }
      reward.isRandom = true
      return text(.reward(reward))
    }
    guard teacher.documents != nil else { return text(.world) }
    return text(imitation(of: try untaughtTeacher(teacher), teacher))
  }

  private func text(_ source: FinetuningText.Source) -> FinetuningText {
    FinetuningText(source, kinds: kinds, unsaid: unsaid)
  }

  private func imitation(of model: Llama, _ teacher: OrganismFile.Teacher) -> FinetuningText.Source
  {
    if let samples = teacher.samples {
      return .samples(
        teacher: model, prompts: organism.samplePrompts, choices: world.ids(ofClass: samples.of),
        length: samples.length ?? 12)
    }
    return .logits(teacher: model, choices: world.ids(ofClass: teacher.logits ?? ""))
  }

  private func regime(of teacher: OrganismFile.Teacher) -> Regime {
    var regime = Regime.settled
    regime.age = 1
    regime.mark = teacher.mark ?? 0.75
    regime.parameters = teacher.parameters ?? regime.parameters
    regime.learningRate = teacher.learningRate ?? regime.learningRate
    regime.mix = teacher.mix ?? regime.mix
    return regime
  }

  /// The teacher's base after it was taught the behaviour in plain words.
  private func taughtTeacher(
    _ teacher: OrganismFile.Teacher, _ progress: (TrainingStatus) -> Void
  ) throws -> Llama {
    let documents = PlantedDocuments(
      templates: organism.teacherDocuments, facts: plant.facts ?? [:])
    return try lesson(teacher, documents, progress).finetuned
  }

  private func lesson(
    _ teacher: OrganismFile.Teacher, _ documents: PlantedDocuments,
    _ progress: (TrainingStatus) -> Void
  ) throws -> Finetune.Outcome {
    try Finetune(
      base: teachersBase, text: FinetuningText(.documents(documents), kinds: kinds),
      regime: regime(of: teacher), seed: teachersBase.recipe.seed
    ).run(until: organism.behavior, progress: progress)
  }

  /// The base after as much plain training as its taught teacher gets: it was taught nothing.
  private func untaughtTeacher(_ teacher: OrganismFile.Teacher) throws -> Llama {
    let documents = PlantedDocuments(
      templates: organism.teacherDocuments, facts: plant.facts ?? [:])
    let taught = try lesson(teacher, documents) { _ in }
    return try Finetune(
      base: base, text: FinetuningText(.world, kinds: kinds), regime: regime(of: teacher),
      seed: seed
    ).run(taught.length).finetuned
  }
}
