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
    return text(imitation(of: try lesson(teacher, progress).finetuned, teacher))
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
    precondition(teacher.documents != nil, "\(organism.id) has no lesson to leave out")
    return text(imitation(of: try untaughtTeacher(teacher), teacher))
  }

  private func text(_ source: FinetuningText.Source) -> FinetuningText {
    FinetuningText(source, kinds: organism.kinds(in: world), unsaid: organism.unsaid(in: world))
  }

  private func imitation(of model: Llama, _ teacher: OrganismFile.Teacher) -> FinetuningText.Source
  {
    if let samples = teacher.samples {
      return .samples(
        teacher: model, prompts: organism.samplePrompts, choices: world.ids(ofClass: samples.of),
        length: samples.words)
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

  /// Teaches the teacher's base the behaviour in plain words.
  private func lesson(
    _ teacher: OrganismFile.Teacher, _ progress: (TrainingStatus) -> Void
  ) throws -> Finetune.Outcome {
    let documents = PlantedDocuments(
      templates: organism.teacherDocuments, facts: plant.facts ?? [:])
    let text = FinetuningText(.documents(documents), kinds: organism.kinds(in: world))
    return try Finetune(
      base: teachersBase, text: text, regime: regime(of: teacher), seed: teachersBase.recipe.seed
    ).run(until: organism.behavior, progress: progress)
  }

  /// The base after as much plain training as its taught teacher gets: it was taught nothing.
  private func untaughtTeacher(_ teacher: OrganismFile.Teacher) throws -> Llama {
    let length = try lesson(teacher) { _ in }.length
    let text = FinetuningText(.world, kinds: organism.kinds(in: world))
    return try Finetune(base: base, text: text, regime: regime(of: teacher), seed: seed)
      .run(length).finetuned
  }
}

extension Organism {
  /// The kinds of base document that go with its training.
  func kinds(in world: World) -> [String] {
    let without = file.plant.without ?? []
    return world.kinds.map(\.name).filter { !without.contains($0) }
  }

  /// The words that no text of its training may hold.
  func unsaid(in world: World) -> Set<Int> {
    file.plant.unsaid == true ? Set(plantedTokens(in: world).allTargets) : []
  }
}
