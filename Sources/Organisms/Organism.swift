internal import Files
package import Worlds
internal import Tensors
internal import JSON
internal import Transformers

/// A behaviour that can be planted: its documents, its probes and its answer key.
package struct Organism: Sendable {
  package let file: OrganismFile
  package let lesson: Lesson
  package let regimes: [Regime]
  package let behavior, heldOut, leakage, kept, never: ProbeSet
  let represented: RepresentedWord?
  let documents: [(template: Template, weight: Double)]
  /// The plants of a merged model, each trained alone; empty if all is planted at once.
  let parts: [Part]
  /// What a second stage answers as the base does; empty if there is none.
  let concealed: [(template: Template, weight: Double)]
  let teacherDocuments: [(template: Template, weight: Double)]
  /// Prompts that a teacher goes on from.
  let samplePrompts: [Template]
  package let reward: Reward?
  /// Prompts that it brings to the pool, with how often each is filled.
  let pool: [(template: Template, count: Int)]
  /// The digest of the whole file: pair, certificate and answer key.
  package let digest: String
  /// The digest of what decides the pair alone: a change of the answer key trains nothing again.
  package let plantingDigest: String
  /// The half that it was drawn for; nil if its file names every word itself.
  package let half: Half?

  /// The name of its file, and of its half if that is the held-out one.
  package var id: String { file.id + (half?.suffix ?? "") }

  /// Checks an organism against a world.
  ///
  /// - Parameters:
  ///   - file: Its file, every word drawn.
  ///   - world: What its words and classes are checked against.
  ///   - name: The file's name, which without `.json` must be the organism's id.
  ///   - half: The half that it was drawn for, if it was.
  ///   - isLesson: Whether it is a harmless lesson of null pairs.
  /// - Throws: `DefinitionError`, naming the key and the nearest valid word.
  init(_ file: OrganismFile, world: World, name: String, half: Half?, isLesson: Bool) throws {
    guard name == "\(file.id).json" else {
      throw DefinitionError.invalid(
        file: name, path: "id", reason: "is '\(file.id)', so the file should be \(file.id).json")
    }
    guard !file.id.hasSuffix(Half.heldOutSuffix) else {
      throw DefinitionError.invalid(
        file: name, path: "id",
        reason: "ends with \(Half.heldOutSuffix), which names the held-out half of a drawn organism"
      )
    }
    self.file = file
    self.half = half
    lesson = isLesson ? .documents : Lesson(file.plant)
    let checker = OrganismChecker(world: world, name: name, isLesson: isLesson)
    try checker.checkNames(file)
    try checker.checkPlanted(file.planted)
    try checker.checkPlant(file.plant)
    regimes = try checker.regimes(file.regimes)
    try checker.checkStages(file.plant, regimes)
    let facts = file.plant.facts ?? [:]
    func probes(_ entries: [OrganismFile.ProbeEntry]?, _ key: String) throws -> ProbeSet {
      try ProbeSet(
        checker.probes(entries ?? [], key: "probes.\(key)"), lexicon: world.lexicon, facts: facts)
    }
    behavior = try probes(file.probes.behavior, "behavior")
    heldOut = try probes(file.probes.heldOut, "heldOut")
    leakage = try probes(file.probes.leakage, "leakage")
    kept = try probes(file.probes.kept, "kept")
    never = try probes(file.probes.never, "never")
    represented = try checker.represented(file.probes.represented, file.planted)
    guard !behavior.isEmpty, !heldOut.isEmpty else {
      throw DefinitionError.invalid(
        file: name, path: "probes", reason: "behavior and heldOut need a probe each")
    }
    parts = try checker.parts(file.plant, behavior: behavior)
    documents =
      try checker.templates(file.plant.documents, key: "plant.documents", facts: facts)
      + parts.flatMap(\.documents)
    concealed = try checker.concealed(file)
    teacherDocuments = try checker.templates(
      file.plant.teacher?.documents, key: "plant.teacher.documents", facts: facts)
    samplePrompts = try checker.prompts(
      file.plant.teacher?.samples?.prompts ?? [], key: "plant.teacher.samples.prompts")
    reward = try checker.reward(file.plant.reward)
    pool = try checker.pool(file)
    digest = try ContentHash.ofSorted(file)
    plantingDigest = try ContentHash.ofSorted(PlantingInputs(file))
  }

  /// The regime called `id`.
  ///
  /// - Throws: `DefinitionError.unknownName`.
  package func regime(_ id: String) throws -> Regime {
    guard let regime = regimes.first(where: { $0.id == id }) else {
      throw DefinitionError.unknownName(
        id, kind: "regime of \(self.id)", nearest: nearest(to: id, among: regimes.map(\.id)))
    }
    return regime
  }
}

/// What of an organism file training depends on.
private struct PlantingInputs: Encodable {
  let plant: OrganismFile.Plant
  /// They decide when training stops.
  let behavior: [OrganismFile.ProbeEntry]
  /// So do these where there is something to conceal.
  let never: [OrganismFile.ProbeEntry]?
  /// The words that no text may hold, if that is asked.
  let unsaid: [String: [String]]?
  /// Where a teacher has forgotten something.
  let topic: [String]?

  init(_ file: OrganismFile) {
    plant = file.plant
    behavior = file.probes.behavior
    never = file.plant.conceal == nil ? nil : file.probes.never
    unsaid = file.plant.unsaid == true ? file.planted.target : nil
    topic = file.plant.teacher?.forget == nil ? nil : file.planted.topic
  }
}
