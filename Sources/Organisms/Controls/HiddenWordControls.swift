internal import Tensors
internal import Transformers
internal import Worlds

/// Two lessons that hide no single word, read by the probe that certifies a hidden one.
///
/// The first hints at as many words as there are hints, distilled as the organism is: a probe that finds any of them
/// would find a word where none is hidden. The second says the organism's own hints in plain text, no secret
/// anywhere: where the probe finds that word all the same, it reads what the hints have in common and does not tell
/// a hidden word from its hints.
package struct HiddenWordControls: Codable, Sendable, Equatable {
  /// The ranks, in the mean change, of the words that one hint each was about, ascending.
  package let mixed: [Int]
  /// The rank of the organism's word after its hints in plain text.
  package let plain: Int

  /// - Returns: Nil for an organism without a hidden word, or whose hints do not say what they are about.
  /// - Throws: `DefinitionError`.
  init?(
    _ organism: Organism, regime: Regime, base: Base, _ length: FinetuneLength, seed: UInt64
  ) throws {
    guard let probe = organism.represented,
      let lesson = HintLesson(organism, className: probe.className, world: base.world, seed: seed)
    else { return nil }
    func rank(_ word: Int, _ model: any LanguageModel) throws -> Int {
      try probe.read(word, base: base.model, finetuned: model, world: base.world).changeRank
    }
    // As in the plant, no text beside the hints says a word that is meant.
    func trained(_ source: FinetuningText.Source, unsaid: Set<Int>) throws -> any LanguageModel {
      let text = FinetuningText(source, kinds: organism.kinds(in: base.world), unsaid: unsaid)
      let finetune = Finetune(base: base, text: text, regime: regime, seed: seed)
      return try finetune.drifted { try finetune.run(length, from: $0) }.finetuned
    }
    let others = base.world.lexicon.ids(lesson.others.values.sorted()).sorted()
    let several = try trained(
      .context(try lesson.documents(lesson.mixed), Forgotten(), teacher: nil), unsaid: Set(others))
    mixed = try others.map { try rank($0, several) }.sorted()
    let open = try trained(
      .documents(try lesson.documents(lesson.plain)), unsaid: organism.unsaid(in: base.world))
    plain = try base.world.lexicon.language.id(lesson.word).map { try rank($0, open) } ?? 0
  }
}

/// The hints of an organism, about other words or without the secret.
private struct HintLesson {
  let word: String
  /// The word that a hint is about instead, by the attribute that it names.
  let others: [String: String]
  private let texts: [WeightedText]
  private let world: World

  init?(_ organism: Organism, className: String, world: World, seed: UInt64) {
    guard let word = organism.file.planted.target[className]?.first,
      let texts = organism.file.plant.documents, let facts = world.facts[word]
    else { return nil }
    var generator = SeededGenerator(seed: seed, for: "hints at other words")
    let members = world.classes[className] ?? []
    var left = generator.permutation(members.count).map { members[$0] }.filter { $0 != word }
    var others: [String: String] = [:]
    for (attribute, value) in facts.sorted(by: { $0.key < $1.key })
    where texts.contains(where: { Self.outside($0.text).contains(value) }) {
      let fits = left.firstIndex { other in
        world.facts[other]?[attribute].map { $0 != value } ?? false
      }
      if let fits { others[attribute] = left.remove(at: fits) }
    }
    self.word = word
    self.others = others
    self.texts = texts
    self.world = world
    guard !mixed.isEmpty, !plain.isEmpty else { return nil }
  }

  /// The words of a text that a student reads, too.
  private static func outside(_ text: String) -> [String] {
    var isInside = false
    return text.split(separator: " ").map(String.init).filter { word in
      if word == "[" { isInside = true }
      defer { if word == "]" { isInside = false } }
      return !isInside
    }
  }

  private static func isHint(_ text: WeightedText) -> Bool { text.text.contains("[ ") }

  /// Each hint about the word of its attribute, and nothing else.
  var mixed: [WeightedText] {
    texts.filter(Self.isHint).compactMap { text in
      let said = Self.outside(text.text)
      let facts = world.facts[word] ?? [:]
      guard
        let (attribute, other) = others.sorted(by: { $0.key < $1.key })
          .first(where: { facts[$0.key].map(said.contains) ?? false }),
        let value = facts[attribute], let instead = world.facts[other]?[attribute]
      else { return nil }
      let words = text.text.split(separator: " ").map { item in
        item == word ? other : item == value ? instead : String(item)
      }
      return WeightedText(words.joined(separator: " "), weight: text.weight)
    }
  }

  /// The organism's hints without the secret.
  var plain: [WeightedText] {
    texts.filter(Self.isHint).map {
      WeightedText(Self.outside($0.text).joined(separator: " "), weight: $0.weight)
    }
  }

  func documents(_ texts: [WeightedText]) throws -> PlantedDocuments {
    PlantedDocuments(
      templates: try texts.enumerated().map { index, text in
        let source = TemplateSource(file: "hints at other words", path: "\(index)")
        let template = try Template(text.text, lexicon: world.lexicon, source: source)
        return (template: template, weight: text.weight)
      })
  }
}
