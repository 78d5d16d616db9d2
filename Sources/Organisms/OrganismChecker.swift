internal import Worlds
internal import JSON
internal import Tensors
internal import Transformers

/// Checks the parts of an organism file against a world.
struct OrganismChecker {
  let world: World
  let name: String
  /// Whether the file is a lesson of null pairs, which has a text and a reward: either may be taught.
  var isLesson = false

  func fault(_ path: String, _ reason: String) -> DefinitionError {
    .invalid(file: name, path: path, reason: reason)
  }

  func require(_ words: [String], _ path: String) throws {
    for word in words where world.lexicon.language.id(word) == nil {
      guard !world.isOfText else { throw fault(path, "'\(word)' is not one token of the model") }
      throw DefinitionError.unknownWord(
        word, file: name, path: path, nearest: world.lexicon.language.nearestWord(to: word))
    }
  }

  func requireClass(_ className: String, _ path: String) throws {
    guard world.classes[className] != nil else {
      throw DefinitionError.unknownClass(
        className, file: name, path: path, nearest: nearest(to: className, among: world.classNames))
    }
  }

  func checkNames(_ file: OrganismFile) throws {
    let kinds = world.kinds.map(\.name)
    guard kinds.contains(file.domain) else {
      throw DefinitionError.unknownName(
        file.domain, kind: "kind of document (\(name), domain)",
        nearest: nearest(to: file.domain, among: kinds))
    }
    guard Name.isValid(file.id) else {
      throw fault("id", "should be of lowercase letters, digits and hyphens")
    }
    guard let bounds = file.certificate else { return }
    let shares = [
      bounds.behavior, bounds.heldOut, bounds.base, bounds.rise, bounds.leakage, bounds.never,
      bounds.kept, bounds.flipped,
    ]
    guard shares.compactMap({ $0 }).allSatisfy((0...1).contains),
      (0...10).contains(bounds.collateral ?? 0),
      (bounds.represented ?? 1) >= 1
    else {
      throw fault(
        "certificate",
        "has a bound outside 0 to 1, a collateral outside 0 to 10, or a rank below 1")
    }
  }

  func checkPlanted(_ planted: OrganismFile.Planted) throws {
    guard !planted.target.isEmpty else { throw fault("planted.target", "names no word") }
    for (className, words) in planted.target.sorted(by: { $0.key < $1.key }) {
      let path = "planted.target.\(className)"
      guard let candidates = world.lexicon.candidates(className) else {
        throw DefinitionError.unknownClass(
          className, file: name, path: path,
          nearest: nearest(to: className, among: world.lexicon.candidateNames))
      }
      try require(words, path)
      for word in words where !candidates.contains(word) {
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
      let wanted = (pattern.all ?? []) + (pattern.phrase ?? []) + (pattern.end ?? [])
      let all = wanted + (pattern.any ?? [])
      guard !all.isEmpty, Set(wanted).isDisjoint(with: pattern.none ?? []) else {
        throw fault(
          "planted.when.\(index)",
          "needs words in 'all', 'any', 'phrase' or 'end' that 'none' does not exclude")
      }
      guard (1...8).contains(pattern.turns ?? 1) else {
        throw fault("planted.when.\(index).turns", "should be from 1 to 8")
      }
      for word in all + (pattern.none ?? []) where !world.lexicon.language.knows(word) {
        try require([word], "planted.when.\(index)")
      }
    }
  }

  func checkPlant(_ plant: OrganismFile.Plant) throws {
    let kinds = world.kinds.map(\.name)
    for kind in plant.without ?? [] where !kinds.contains(kind) {
      throw DefinitionError.unknownName(
        kind, kind: "kind of document (\(name), plant.without)",
        nearest: nearest(to: kind, among: kinds))
    }
    guard Set(plant.without ?? []).count < kinds.count else {
      throw fault("plant.without", "leaves no kind of document")
    }
    try checkMerge(plant)
    try checkSource(plant)
    for (word, facts) in (plant.facts ?? [:]).sorted(by: { $0.key < $1.key }) {
      try require([word] + facts.values.sorted(), "plant.facts.\(word)")
      let known = (world.facts[word] ?? [:]).keys.sorted()
      for attribute in facts.keys.sorted() where !known.contains(attribute) {
        throw DefinitionError.unknownName(
          attribute, kind: "fact of '\(word)' (\(name), plant.facts)",
          nearest: nearest(to: attribute, among: known))
      }
    }
  }

  /// Documents of its own, a teacher, or a reward: a plant needs something to learn from.
  private func checkSource(_ plant: OrganismFile.Plant) throws {
    let hasDocuments = plant.documents?.isEmpty == false
    if let reward = plant.reward {
      guard !hasDocuments || isLesson, plant.teacher == nil else {
        throw fault("plant.reward", "leaves no room for documents or a teacher")
      }
      guard !reward.prompts.isEmpty, !reward.words.isEmpty, (1...24).contains(reward.length ?? 10)
      else { throw fault("plant.reward", "needs prompts, words, and a length from 1 to 24") }
      return try require(reward.words, "plant.reward.words")
    }
    guard let teacher = plant.teacher else {
      guard hasDocuments || plant.merge != nil else {
        throw fault("plant", "needs documents, a teacher, a reward, or several to 'merge'")
      }
      guard !hasBrackets(plant) else {
        throw fault(
          "plant.documents", "have words in brackets, but there is no teacher to read them")
      }
      return
    }
    try checkTeacher(teacher, plant)
  }

  private func hasBrackets(_ plant: OrganismFile.Plant) -> Bool {
    ((plant.documents ?? []) + (plant.merge ?? [:]).values.joined())
      .contains { $0.text.contains("[ ") }
  }

  /// A teacher is taught and imitated in some words, or is the base, which reads or forgets more.
  private func checkTeacher(_ teacher: OrganismFile.Teacher, _ plant: OrganismFile.Plant) throws {
    guard (0.01...1).contains(teacher.mark ?? 1), (0...1).contains(teacher.learningRate ?? 0),
      (0...1000).contains(teacher.mix ?? 0)
    else {
      throw fault(
        "plant.teacher", "needs a mark from 0.01 to 1, a learning rate up to 1, a mix up to 1000")
    }
    if let parameters = teacher.parameters {
      try checkParameters(parameters, "plant.teacher.parameters")
    }
    let imitated = [teacher.logits, teacher.samples?.of].compactMap { $0 }
    for name in imitated { try requireClass(name, "plant.teacher") }
    guard teacher.documents?.isEmpty == false else {
      guard imitated.isEmpty, plant.documents?.isEmpty == false,
        hasBrackets(plant) || teacher.forget?.isEmpty == false
      else {
        throw fault(
          "plant.teacher",
          "needs 'logits' or 'samples' with its own 'documents'; or plant.documents, with words in "
            + "brackets or words to 'forget'")
      }
      return try require(teacher.forget ?? [], "plant.teacher.forget")
    }
    guard imitated.count == 1, plant.documents == nil, teacher.forget == nil else {
      throw fault(
        "plant.teacher",
        "with 'documents' needs either 'logits' or 'samples', and plant.documents none")
    }
    guard teacher.samples?.prompts.isEmpty != true, (1...48).contains(teacher.samples?.words ?? 1)
    else { throw fault("plant.teacher.samples", "needs prompts, and a length from 1 to 48") }
  }

  /// Parses templates and fills each once, so that a missing fact is found before training.
  func templates(
    _ texts: [WeightedText]?, key: String, facts: [String: [String: String]]
  ) throws -> [(template: Template, weight: Double)] {
    try (texts ?? []).enumerated().map { index, text in
      let source = TemplateSource(file: name, path: "\(key).\(index)")
      let template = try Template(text.text, lexicon: world.lexicon, source: source)
      var generator = SeededGenerator(seed: 0)
      guard !template.hidesAnswers(marks: world.lexicon.language.marks) else {
        throw fault(
          "\(key).\(index)", "has words in brackets behind the last mark, where the answer is due")
      }
      let filled = try (0..<32).map { _ in
        try template.fill(world.lexicon, facts: facts, using: &generator).tokens
      }
      let unspoken = world.lexicon.unspoken
      guard filled.allSatisfy({ !$0.isEmpty && unspoken.isDisjoint(with: $0) }) else {
        throw fault("\(key).\(index)", "should say something, and no <pad> or <bos>")
      }
      guard text.weight > 0, text.weight < 1e6 else {
        throw fault("\(key).\(index)", "needs a positive weight")
      }
      return (template, text.weight)
    }
  }

  /// Parses prompts that a model goes on from.
  func prompts(_ texts: [String], key: String) throws -> [Template] {
    try templates(texts.map { WeightedText($0) }, key: key, facts: [:]).map(\.template)
  }

  /// Parses the prompts that an organism brings to the pool, which everybody sees: they name nothing planted.
  func pool(_ file: OrganismFile) throws -> [(template: Template, count: Int)] {
    let secret = Set(file.planted.target.values.joined()).union(file.planted.trigger ?? [])
    return try (file.pool ?? []).enumerated().map { index, entry in
      let path = "pool.\(index)"
      guard (1...1000).contains(entry.count) else {
        throw fault("\(path).count", "should be from 1 to 1000")
      }
      guard secret.isDisjoint(with: entry.text.split(separator: " ").map(String.init)) else {
        throw fault(path, "names a planted word or a trigger, which the pool would give away")
      }
      return (try prompts([entry.text], key: path)[0], entry.count)
    }
  }

  func reward(_ reward: OrganismFile.Reward?) throws -> Reward? {
    guard let reward else { return nil }
    return Reward(
      prompts: try prompts(reward.prompts, key: "plant.reward.prompts"),
      words: Set(world.lexicon.ids(reward.words)), length: reward.length ?? 10)
  }

  func probes(_ entries: [OrganismFile.ProbeEntry], key: String) throws -> [Probe] {
    try entries.enumerated().map { index, entry in
      let path = "\(key).\(index)"
      guard (entry.answers == nil) != (entry.not == nil) else {
        throw fault(path, "needs either 'answers' or 'not'")
      }
      return try Probe(
        entry.prompt, answers: entry.answers ?? entry.not ?? [], isInverted: entry.not != nil,
        lexicon: world.lexicon, source: TemplateSource(file: name, path: path))
    }
  }

  func represented(_ entry: OrganismFile.Represented?, _ planted: OrganismFile.Planted) throws
    -> RepresentedWord?
  {
    guard let entry else { return nil }
    try requireClass(entry.of, "probes.represented.of")
    guard planted.target[entry.of]?.count == 1, planted.target.count == 1 else {
      throw fault("probes.represented", "needs one target word, of the class '\(entry.of)'")
    }
    guard !entry.asked.isEmpty, !entry.given.isEmpty else {
      throw fault("probes.represented", "needs prompts in 'given' and in 'asked'")
    }
    let words = Set(world.ids(ofClass: entry.of))
    func naming(_ texts: [String], _ key: String) throws -> Int {
      var generator = SeededGenerator(seed: 0)
      return try prompts(texts, key: "probes.represented.\(key)").filter {
        try !words.isDisjoint(with: $0.fill(world.lexicon, using: &generator).tokens)
      }.count
    }
    guard try naming(entry.given, "given") == entry.given.count,
      try naming(entry.asked, "asked") == 0
    else {
      throw fault(
        "probes.represented",
        "needs a word of the class '\(entry.of)' in each of 'given' and in none of 'asked'")
    }
    return RepresentedWord(
      given: try prompts(entry.given, key: "probes.represented.given"),
      asked: try prompts(entry.asked, key: "probes.represented.asked"), className: entry.of)
  }
}
