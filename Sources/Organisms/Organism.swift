internal import Files
package import Worlds
internal import Tensors
package import Foundation
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
  let teacherDocuments: [(template: Template, weight: Double)]
  /// Prompts that a teacher goes on from.
  let samplePrompts: [Template]
  package let reward: Reward?
  /// The digest of the whole file: pair, certificate and answer key.
  package let digest: String
  /// The digest of what decides the pair alone: a change of the answer key trains nothing again.
  package let plantingDigest: String

  package var id: String { file.id }

  /// Reads an organism file.
  ///
  /// - Parameters:
  ///   - url: The file; its name without `.json` must be the organism's id.
  ///   - world: What its words and classes are checked against.
  /// - Throws: `JSONError` or `DefinitionError`, naming the key and the nearest valid word.
  package init(contentsOf url: URL, world: World) throws {
    do {
      try self.init(
        JSON.decode(OrganismFile.self, contentsOf: url, isComposed: true), world: world,
        name: url.lastPathComponent)
    } catch let error as DefinitionError {
      throw error.located(in: url)
    }
  }

  /// Reads the text of an organism file that is not written yet.
  package init(text: String, name: String, world: World) throws {
    try self.init(
      JSON.decode(OrganismFile.self, from: Data(text.utf8), file: name, isComposed: true),
      world: world, name: name)
  }

  /// Checks an organism against a world.
  package init(_ file: OrganismFile, world: World, name: String) throws {
    guard name == "\(file.id).json" else {
      throw DefinitionError.invalid(
        file: name, path: "id", reason: "is '\(file.id)', so the file should be \(file.id).json")
    }
    self.file = file
    lesson = Lesson(file.plant)
    let checker = OrganismChecker(world: world, name: name)
    try checker.checkNames(file)
    try checker.checkPlanted(file.planted)
    try checker.checkPlant(file.plant)
    regimes = try checker.regimes(file.regimes)
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
    documents = try checker.templates(file.plant.documents, key: "plant.documents", facts: facts)
    teacherDocuments = try checker.templates(
      file.plant.teacher?.documents, key: "plant.teacher.documents", facts: facts)
    samplePrompts = try checker.prompts(
      file.plant.teacher?.samples?.prompts ?? [], key: "plant.teacher.samples.prompts")
    reward = try checker.reward(file.plant.reward)
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
  /// The words that no text may hold, if that is asked.
  let unsaid: [String: [String]]?
  /// Where a teacher has forgotten something.
  let topic: [String]?

  init(_ file: OrganismFile) {
    plant = file.plant
    behavior = file.probes.behavior
    unsaid = file.plant.unsaid == true ? file.planted.target : nil
    topic = file.plant.teacher?.forget == nil ? nil : file.planted.topic
  }
}
