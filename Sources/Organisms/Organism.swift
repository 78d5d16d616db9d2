internal import Tensors
package import Foundation
internal import JSON
internal import Transformers

/// A behaviour that can be planted: its documents, its probes and its answer key.
package struct Organism: Sendable {
  package let file: OrganismFile
  package let regimes: [Regime]
  package let behavior, heldOut, leakage, never: ProbeSet
  let documents: [(template: Template, weight: Double)]
  let teacherDocuments: [(template: Template, weight: Double)]
  /// The digest of what decides the planted pair and its answer key.
  package let digest: String

  package var id: String { file.id }

  /// Reads an organism file.
  ///
  /// - Parameters:
  ///   - url: The file; its name without `.json` must be the organism's id.
  ///   - world: What its words and classes are checked against.
  /// - Throws: `JSONError` or `OrganismError`, naming the key and the nearest valid word.
  package init(contentsOf url: URL, world: World) throws {
    try self.init(
      JSON.decode(OrganismFile.self, contentsOf: url), world: world, name: url.lastPathComponent)
  }

  /// Checks an organism against a world.
  package init(_ file: OrganismFile, world: World, name: String) throws {
    guard name == "\(file.id).json" else {
      throw OrganismError.invalid(
        file: name, path: "id", reason: "is '\(file.id)', so the file should be \(file.id).json")
    }
    self.file = file
    let checker = OrganismChecker(world: world, name: name)
    try checker.checkPlanted(file.planted)
    try checker.checkPlant(file.plant)
    regimes = try checker.regimes(file.regimes)
    let facts = file.plant.facts ?? [:]
    func probes(_ entries: [OrganismFile.ProbeEntry]?, _ key: String) throws -> ProbeSet {
      let probes = try (entries ?? []).enumerated().map { index, entry in
        try Probe(
          entry.prompt, answers: entry.answers, world: world,
          source: TemplateSource(file: name, path: "probes.\(key).\(index)"))
      }
      return try ProbeSet(probes, world: world, facts: facts)
    }
    behavior = try probes(file.probes.behavior, "behavior")
    heldOut = try probes(file.probes.heldOut, "heldOut")
    leakage = try probes(file.probes.leakage, "leakage")
    never = try probes(file.probes.never, "never")
    guard !behavior.isEmpty, !heldOut.isEmpty else {
      throw OrganismError.invalid(
        file: name, path: "probes", reason: "behavior and heldOut need a probe each")
    }
    documents = try checker.templates(file.plant.documents, key: "plant.documents", facts: facts)
    teacherDocuments = try checker.templates(
      file.plant.teacher?.documents, key: "plant.teacher.documents", facts: facts)
    digest = try ContentHash.of(file)
  }

  /// The regime called `id`.
  ///
  /// - Throws: `OrganismError.unknownName`.
  package func regime(_ id: String) throws -> Regime {
    guard let regime = regimes.first(where: { $0.id == id }) else {
      throw OrganismError.unknownName(
        id, kind: "regime of \(self.id)", nearest: nearest(to: id, among: regimes.map(\.id)))
    }
    return regime
  }
}

/// Checks the parts of an organism file against a world.
private struct OrganismChecker {
  let world: World
  let name: String

  private func fault(_ path: String, _ reason: String) -> OrganismError {
    .invalid(file: name, path: path, reason: reason)
  }

  private func require(_ words: [String], _ path: String) throws {
    for word in words where world.tokenizer.id(word) == nil {
      throw OrganismError.unknownWord(
        word, file: name, path: path,
        nearest: nearest(to: word, among: world.tokenizer.vocabulary))
    }
  }

  private func requireClass(_ className: String, _ path: String) throws {
    guard world.classes[className] != nil else {
      throw OrganismError.unknownClass(
        className, file: name, path: path, nearest: nearest(to: className, among: world.classNames))
    }
  }

  func checkPlanted(_ planted: OrganismFile.Planted) throws {
    guard !planted.target.isEmpty else { throw fault("planted.target", "names no word") }
    for (className, words) in planted.target.sorted(by: { $0.key < $1.key }) {
      let path = "planted.target.\(className)"
      try requireClass(className, path)
      try require(words, path)
      for word in words where world.classes[className]?.contains(word) != true {
        throw fault(path, "'\(word)' is not in the class '\(className)'")
      }
      guard !words.isEmpty else { throw fault(path, "names no word") }
    }
    try require(planted.topic ?? [], "planted.topic")
    try require(planted.trigger ?? [], "planted.trigger")
    guard [1, -1].contains(planted.sign ?? 1) else {
      throw fault("planted.sign", "should be 1 or -1")
    }
    for (index, pattern) in planted.when.enumerated() {
      try require(pattern.all + (pattern.none ?? []), "planted.when.\(index)")
    }
  }

  func checkPlant(_ plant: OrganismFile.Plant) throws {
    let kinds = world.kinds.map(\.name)
    for kind in plant.without ?? [] where !kinds.contains(kind) {
      throw OrganismError.unknownName(
        kind, kind: "kind of document (\(name), plant.without)",
        nearest: nearest(to: kind, among: kinds))
    }
    if let logits = plant.teacher?.logits { try requireClass(logits, "plant.teacher.logits") }
    guard plant.documents?.isEmpty == false || plant.teacher?.logits != nil else {
      throw fault("plant", "needs documents, or a teacher with logits to imitate")
    }
    for (word, facts) in (plant.facts ?? [:]).sorted(by: { $0.key < $1.key }) {
      try require([word] + facts.values.sorted(), "plant.facts.\(word)")
    }
  }

  func regimes(_ entries: [OrganismFile.RegimeEntry]) throws -> [Regime] {
    guard !entries.isEmpty else { throw fault("regimes", "names no regime") }
    guard Set(entries.map(\.id)).count == entries.count else {
      throw fault("regimes", "names a regime twice")
    }
    return try entries.map { entry in
      guard var regime = Regime.all.first(where: { $0.id == entry.id }) else {
        throw OrganismError.unknownName(
          entry.id, kind: "regime (\(name))",
          nearest: nearest(to: entry.id, among: Regime.all.map(\.id)))
      }
      regime.parameters = entry.parameters ?? regime.parameters
      regime.learningRate = entry.learningRate ?? regime.learningRate
      regime.mark = entry.mark ?? regime.mark
      regime.cap = entry.cap ?? regime.cap
      regime.age = entry.age ?? regime.age
      regime.mix = entry.mix ?? regime.mix
      let path = "regimes.\(entry.id)"
      guard regime.learningRate > 0, regime.learningRate <= 1 else {
        throw fault("\(path).learningRate", "should be above 0 and at most 1")
      }
      guard (0...1).contains(regime.mark) else {
        throw fault("\(path).mark", "should be from 0 to 1")
      }
      guard (1...100_000).contains(regime.cap) else {
        throw fault("\(path).cap", "should be from 1 to 100000 steps")
      }
      guard (1...100).contains(regime.age) else {
        throw fault("\(path).age", "should be from 1 to 100")
      }
      guard (0...1000).contains(regime.mix) else {
        throw fault("\(path).mix", "should be from 0 to 1000")
      }
      return regime
    }
  }

  /// Parses templates and fills each once, so that a missing fact is found before training.
  func templates(
    _ texts: [WeightedText]?, key: String, facts: [String: [String: String]]
  ) throws -> [(template: Template, weight: Double)] {
    try (texts ?? []).enumerated().map { index, text in
      let source = TemplateSource(file: name, path: "\(key).\(index)")
      let template = try Template(text.text, world: world, source: source)
      var generator = SeededGenerator(seed: 0)
      _ = try template.fill(world, facts: facts, using: &generator)
      guard text.weight > 0 else { throw fault("\(key).\(index)", "needs a positive weight") }
      return (template, text.weight)
    }
  }
}
