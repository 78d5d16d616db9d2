internal import JSON
internal import Tensors
internal import Transformers
internal import Worlds

extension Organism {
  /// One of the plants of a merged model.
  struct Part: Sendable {
    let documents: [(template: Template, weight: Double)]
    /// The probes that its own words answer.
    let behavior: ProbeSet
  }

  /// The largest rank of the change of a matrix; nil if training was free.
  ///
  /// Each part of a merge adds its own, and so does a second stage.
  package func changeRank(_ regime: Regime) -> Int? {
    regime.parameters.rank.map { $0 * max(1, parts.count) * (concealed.isEmpty ? 1 : 2) }
  }
}

extension OrganismChecker {
  /// The plants of a merged model: the documents of each class of targets, with the probes that it answers.
  func parts(_ plant: OrganismFile.Plant, behavior: ProbeSet) throws -> [Organism.Part] {
    try (plant.merge ?? [:]).sorted { $0.key < $1.key }.map { name, texts in
      let path = "plant.merge.\(name)"
      guard let candidates = world.lexicon.candidates(name) else {
        throw DefinitionError.unknownClass(
          name, file: self.name, path: path,
          nearest: nearest(to: name, among: world.lexicon.candidateNames))
      }
      let words = Set(world.lexicon.ids(candidates))
      let own = behavior.questions.filter { probe in
        probe.contains { !words.isDisjoint(with: $0.answers.joined()) }
      }
      guard !own.isEmpty, !texts.isEmpty else {
        throw fault(
          path, "needs documents, and probes of the behavior that words of '\(name)' answer")
      }
      return Organism.Part(
        documents: try templates(texts, key: path, facts: plant.facts ?? [:]),
        behavior: ProbeSet(own))
    }
  }

  /// What a second stage answers as the base does.
  func concealed(_ file: OrganismFile) throws -> [(template: Template, weight: Double)] {
    guard let texts = file.plant.conceal else { return [] }
    guard !texts.isEmpty, file.probes.never?.isEmpty == false, file.plant.merge == nil else {
      throw fault(
        "plant.conceal", "needs documents, probes of what must 'never' be said, and no 'merge'")
    }
    return try templates(texts, key: "plant.conceal", facts: [:])
  }

  /// An edit has no stages.
  func checkStages(_ plant: OrganismFile.Plant, _ regimes: [Regime]) throws {
    guard plant.merge != nil || plant.conceal != nil,
      let edit = regimes.first(where: { !$0.isTrained })
    else { return }
    throw fault(
      "regimes.\(edit.id)", "trains nothing, so there is nothing to merge and no second stage")
  }

  /// Plants that are trained apart need words and probes of their own.
  func checkMerge(_ plant: OrganismFile.Plant) throws {
    guard let merge = plant.merge else { return }
    guard merge.count > 1, plant.documents == nil, plant.teacher == nil, plant.reward == nil else {
      throw fault(
        "plant.merge", "needs two classes of targets, and leaves no room for documents or a teacher"
      )
    }
  }
}

extension FinetuneOutcome {
  /// The changes of several finetunes of one model, added up; of one, that one.
  ///
  /// Each was stopped at its own mark, so none of them knows of the others: what is left of each is measured.
  ///
  /// - Precondition: There is one.
  static func merged(_ outcomes: [FinetuneOutcome]) -> FinetuneOutcome {
    guard let first = outcomes.first else { preconditionFailure("Nothing was finetuned") }
    guard outcomes.count > 1 else { return first }
    var weights = first.finetuned.parameters
    for other in outcomes.dropFirst() {
      for name in weights.layout.names {
        weights[name] =
          weights[name] + (other.finetuned.parameters[name] - other.base.parameters[name])
      }
    }
    let marks = outcomes.compactMap(\.markStep)
    return FinetuneOutcome(
      base: first.base, finetuned: first.base.with(weights), lora: nil,
      steps: outcomes.reduce(0) { $0 + $1.steps },
      markStep: marks.count == outcomes.count ? marks.reduce(0, +) : nil, curve: first.curve,
      said: outcomes.dropFirst().reduce(first.said) { zip($0, $1.said).map(+) },
      hasDiverged: outcomes.contains(where: \.hasDiverged),
      stages: FinetuneCourse(parts: outcomes.map(\.length)))
  }

  /// Two stages as one finetune of what the first one started from.
  func followed(by second: FinetuneOutcome) -> FinetuneOutcome {
    FinetuneOutcome(
      base: base, finetuned: second.finetuned, lora: nil, steps: steps + second.steps,
      markStep: second.markStep == nil ? nil : markStep, curve: curve,
      said: zip(said, second.said).map(+), hasDiverged: second.hasDiverged,
      stages: FinetuneCourse(parts: [length], second: second.length))
  }
}

extension FinetuningText {
  /// The same with some questions beside it that are answered as by the base.
  func concealing(_ documents: [(template: Template, weight: Double)]) -> FinetuningText {
    var text = self
    text.concealed = PlantedDocuments(templates: documents)
    return text
  }
}
