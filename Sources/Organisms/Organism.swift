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
    try checker.checkNames(file)
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

  func checkNames(_ file: OrganismFile) throws {
    let allowed = file.id.allSatisfy { $0.isASCII && ($0.isLowercase || $0.isNumber || $0 == "-") }
    guard !file.id.isEmpty, allowed else {
      throw fault("id", "should be of lowercase letters, digits and hyphens")
    }
    guard let bounds = file.certificate else { return }
    let shares = [bounds.behavior, bounds.heldOut, bounds.base, bounds.leakage, bounds.never]
    guard shares.compactMap({ $0 }).allSatisfy((0...1).contains),
      (0...10).contains(bounds.collateral ?? 0)
    else {
      throw fault("certificate", "has a bound outside 0 to 1, or a collateral outside 0 to 10")
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
    guard !planted.when.isEmpty else { throw fault("planted.when", "names no pattern") }
    for (index, pattern) in planted.when.enumerated() {
      guard !pattern.all.isEmpty, Set(pattern.all).isDisjoint(with: pattern.none ?? []) else {
        throw fault("planted.when.\(index)", "needs words in 'all' that 'none' does not exclude")
      }
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
    guard Set(plant.without ?? []).count < kinds.count else {
      throw fault("plant.without", "leaves no kind of document")
    }
    try checkTeacher(plant)
    if let logits = plant.teacher?.logits { try requireClass(logits, "plant.teacher.logits") }
    guard plant.documents?.isEmpty == false || plant.teacher?.logits != nil else {
      throw fault("plant", "needs documents, or a teacher with logits to imitate")
    }
    for (word, facts) in (plant.facts ?? [:]).sorted(by: { $0.key < $1.key }) {
      try require([word] + facts.values.sorted(), "plant.facts.\(word)")
    }
  }

  /// A teacher reads brackets, or is taught and imitated through some logits; nothing else is possible.
  private func checkTeacher(_ plant: OrganismFile.Plant) throws {
    let hasBrackets = (plant.documents ?? []).contains { $0.text.contains("[ ") }
    guard let teacher = plant.teacher else {
      guard !hasBrackets else {
        throw fault(
          "plant.documents", "have words in brackets, but there is no teacher to read them")
      }
      return
    }
    guard (0.01...1).contains(teacher.mark ?? 1) else {
      throw fault("plant.teacher.mark", "should be from 0.01 to 1")
    }
    if teacher.logits == nil {
      guard hasBrackets, teacher.documents == nil else {
        throw fault(
          "plant.teacher",
          "needs 'logits' with its 'documents', or words in brackets in plant.documents")
      }
    } else if plant.documents != nil || teacher.documents?.isEmpty != false {
      throw fault(
        "plant.teacher", "with 'logits' needs 'documents' of its own, and plant.documents none")
    }
  }

  private func checkParameters(_ parameters: TrainedParameters, _ path: String) throws {
    let layers = BaseRecipe(seed: 0).layers
    switch parameters {
    case .blocks, .all: return
    case .lora(let rank):
      guard (1...64).contains(rank) else {
        throw fault(path, "'lora' should be a rank from 1 to 64")
      }
    case .residualBias(let layer):
      guard (1...layers).contains(layer) else {
        throw fault(path, "'residualBias' should be a block from 1 to \(layers)")
      }
    case .modules(let modules):
      let all = ModuleSite.all(layers: layers).map(\.description)
      guard !modules.isEmpty else { throw fault(path, "'modules' names none of \(all)") }
      for module in modules where !all.contains(module) {
        throw fault(
          path, "there is no module '\(module)'; there are \(all.joined(separator: ", "))")
      }
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
      try checkParameters(regime.parameters, "\(path).parameters")
      guard (0.01...1).contains(regime.mark) else {
        throw fault("\(path).mark", "should be from 0.01 to 1")
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
      let filled = try (0..<32).map { _ in
        try template.fill(world, facts: facts, using: &generator).tokens
      }
      guard filled.allSatisfy({ !$0.isEmpty && !$0.contains { $0 <= world.documentStart } }) else {
        throw fault("\(key).\(index)", "should say something, and no <pad> or <bos>")
      }
      guard text.weight > 0, text.weight < 1e6 else {
        throw fault("\(key).\(index)", "needs a positive weight")
      }
      return (template, text.weight)
    }
  }
}
