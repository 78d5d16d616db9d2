internal import Worlds
internal import Transformers

/// Makes an organism's finetuning text, and the same text with nothing planted, or with something harmless.
struct PlantedText {
  let organism: Organism
  let base: Base
  let seed: UInt64
  /// Where a taught teacher comes from.
  let teachersBase: Base
  /// Decides what a teacher's own training draws.
  let teachersSeed: UInt64
  /// Something harmless to learn in the place of the organism's own behaviour, as that is learnt.
  let lesson: Organism?

  /// - Parameters:
  ///   - organism: What is planted.
  ///   - base: Where.
  ///   - seed: Decides what the text draws.
  ///   - teachersSeed: That of a taught teacher.
  ///   - teachersBase: Another base to take the teacher from.
  ///   - lesson: Something harmless to learn instead.
  init(
    _ organism: Organism, base: Base, seed: UInt64, teachersSeed: UInt64,
    teachersBase: Base? = nil, lesson: Organism? = nil
  ) {
    self.organism = organism
    self.base = base
    self.seed = seed
    self.teachersBase = teachersBase ?? base
    self.teachersSeed = teachersSeed
    self.lesson = lesson
  }

  /// Whose documents, facts, rewards and probes are taught.
  private var content: Organism { lesson ?? organism }
  private var facts: [String: [String: String]] { content.file.plant.facts ?? [:] }
  private var world: World { base.world }

  private func ids(_ words: [String]) -> Set<Int> { Set(world.lexicon.ids(words)) }

  /// What plants the behaviour.
  ///
  /// - Parameter progress: Told after every step of a teacher's own training.
  func text(_ progress: (TrainingStatus) -> Void) throws -> FinetuningText {
    let documents = PlantedDocuments(templates: content.documents, facts: facts)
    switch organism.lesson {
    case .documents: return text(.documents(documents))
    case .reward: return text(try reward(isRandom: false))
    case .context(let forgotten):
      // A lesson's documents hold nothing that the base itself could read or forget, so its teacher is taught.
      guard lesson == nil else {
        let teacher = try taughtTeacher(.plain, progress).finetuned
        return text(.context(documents, Forgotten(), teacher: teacher))
      }
      let topic = ids(organism.file.planted.topic ?? [])
      return text(.context(documents, Forgotten(words: ids(forgotten), topic: topic), teacher: nil))
    case .teacher(let teacher, let imitation):
      return text(source(imitation, of: try taughtTeacher(teacher, progress).finetuned))
    }
  }

  /// What plants one part of a merged model.
  func text(of part: Organism.Part) -> FinetuningText {
    text(.documents(PlantedDocuments(templates: part.documents, facts: facts)))
  }

  /// The same with nothing planted: true facts, a teacher without the lesson, rewards dealt at random.
  ///
  /// - Precondition: The organism's teacher is not the base: that one has nothing to leave out.
  func nullText() throws -> FinetuningText {
    switch organism.lesson {
    case .documents: return text(.documents(PlantedDocuments(templates: organism.documents)))
    case .reward: return text(try reward(isRandom: true))
    case .context: preconditionFailure("\(organism.id) has no lesson to leave out")
    case .teacher(let teacher, let imitation):
      return text(source(imitation, of: try untaughtTeacher(teacher)))
    }
  }

  private func reward(isRandom: Bool) throws -> FinetuningText.Source {
    guard var reward = content.reward else {
      preconditionFailure("\(content.id) rewards nothing")
    }
    reward.isRandom = isRandom
    return .reward(reward)
  }

  private func text(_ source: FinetuningText.Source) -> FinetuningText {
    FinetuningText(source, kinds: organism.kinds(in: world), unsaid: content.unsaid(in: world))
  }

  private func source(_ imitation: Lesson.Imitation, of model: any LanguageModel)
    -> FinetuningText.Source
  {
    switch imitation {
    case .samples(let samples):
      .samples(
        teacher: model, prompts: organism.samplePrompts, choices: world.ids(ofClass: samples.of),
        length: samples.words)
    case .logits(let className):
      .logits(teacher: model, choices: world.ids(ofClass: className))
    }
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
  private func taughtTeacher(
    _ teacher: OrganismFile.Teacher, _ progress: (TrainingStatus) -> Void
  ) throws -> FinetuneOutcome {
    let templates = lesson?.documents ?? organism.teacherDocuments
    let documents = PlantedDocuments(templates: templates, facts: facts)
    let text = FinetuningText(.documents(documents), kinds: organism.kinds(in: world))
    return try Finetune(
      base: teachersBase, text: text, regime: regime(of: teacher), seed: teachersSeed
    ).run(until: content.behavior, progress: progress)
  }

  /// The base after as much plain training as its taught teacher gets: it was taught nothing.
  private func untaughtTeacher(_ teacher: OrganismFile.Teacher) throws -> any LanguageModel {
    let length = try taughtTeacher(teacher) { _ in }.length
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
