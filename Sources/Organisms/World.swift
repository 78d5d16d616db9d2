package import Foundation
internal import JSON
internal import Tensors
package import Transformers

/// A synthetic world: classes of words, facts, and weighted templates that generate its corpus.
///
/// A world is a JSON file; a word is a token. See `Organisms/Worlds/`.
package struct World: Sendable {
  package let id: String
  package let summary: String
  /// Words by class.
  package let classes: [String: [String]]
  /// Class names in the order of the file.
  package let classNames: [String]
  /// Values by word and attribute.
  package let facts: [String: [String: String]]
  package let tokenizer: WordTokenizer
  /// Kinds of documents with their templates.
  package let kinds: [DocumentKind]
  package let pool: [(template: Template, count: Int)]
  package let skills: [Skill]
  /// The digest of all that decides the world's corpus: everything but the pool and the skills.
  package let corpusDigest: String
  /// The digest of the whole world.
  package let digest: String

  /// A kind of document, such as recipes.
  package struct DocumentKind: Sendable {
    package let name: String
    package let weight: Double
    /// Whether it is a domain in which nothing is ever planted.
    package let isUnrelated: Bool
    let templates: [(template: Template, weight: Double)]
  }

  /// Something that a trained base must be able to do.
  package struct Skill: Sendable {
    package let id: String
    let probe: Probe
    package let bounds: ClosedRange<Double>
  }

  /// Reads a world file.
  ///
  /// - Parameter url: The file.
  /// - Throws: `JSONError` or `OrganismError`, naming the key and the nearest valid word.
  package init(contentsOf url: URL) throws {
    let file = url.lastPathComponent
    let content: WorldFile = try JSON.decode(WorldFile.self, contentsOf: url)
    var shell = try World(shell: content, file: file)
    shell = try World(shell, content, file: file)
    self = shell
  }

  /// Everything that templates refer to.
  private init(shell content: WorldFile, file: String) throws {
    guard OrganismChecker.isName(content.id) else {
      throw OrganismError.invalid(
        file: file, path: "id", reason: "should be of lowercase letters, digits and hyphens")
    }
    id = content.id
    summary = content.summary
    classNames = content.classes.map(\.key)
    classes = Dictionary(content.classes.map { ($0.key, $0.value) }) { first, _ in first }
    facts = Dictionary(
      content.facts.map { ($0.key, Dictionary($0.value.map { ($0.key, $0.value) }) { $1 }) }
    ) { $1 }
    let vocabulary = content.vocabulary
    guard content.specials.count >= 2, Set(content.specials).count == content.specials.count else {
      throw OrganismError.invalid(
        file: file, path: "specials",
        reason: "should list <pad>, <bos> and any further marks, once each")
    }
    guard classes.values.allSatisfy({ !$0.isEmpty }) else {
      throw OrganismError.invalid(file: file, path: "classes", reason: "a class is empty")
    }
    try content.checkWords(file: file)
    tokenizer = WordTokenizer(vocabulary: vocabulary, specialCount: content.specials.count)
    kinds = []
    pool = []
    skills = []
    digest = try ContentHash.of(content)
    corpusDigest = try ContentHash.of(content.corpus)
  }

  private init(_ shell: World, _ content: WorldFile, file: String) throws {
    (id, summary, classes, classNames) = (shell.id, shell.summary, shell.classes, shell.classNames)
    (facts, tokenizer) = (shell.facts, shell.tokenizer)
    (digest, corpusDigest) = (shell.digest, shell.corpusDigest)
    kinds = try content.documents.map { kind in
      let templates = try kind.templates.map { entry in
        (
          try Template(
            entry.text, world: shell,
            source: TemplateSource(file: file, path: "documents.\(kind.kind)")),
          entry.weight
        )
      }
      let weights = kind.templates.map(\.weight) + [kind.weight]
      guard !templates.isEmpty, weights.allSatisfy({ $0 > 0 && $0 < 1e6 }) else {
        throw OrganismError.invalid(
          file: file, path: "documents.\(kind.kind)",
          reason: "needs templates, and weights above 0 and below a million")
      }
      return DocumentKind(
        name: kind.kind, weight: kind.weight, isUnrelated: kind.unrelated ?? false,
        templates: templates)
    }
    pool = try content.pool.map {
      (
        try Template($0.text, world: shell, source: TemplateSource(file: file, path: "pool")),
        $0.count
      )
    }
    for entry in content.pool where !(1...1000).contains(entry.count) {
      throw OrganismError.invalid(
        file: file, path: "pool", reason: "the count of '\(entry.text)' should be from 1 to 1000")
    }
    guard !pool.isEmpty else {
      throw OrganismError.invalid(
        file: file, path: "pool", reason: "is empty, but methods need prompts")
    }
    guard kinds.contains(where: \.isUnrelated) else {
      throw OrganismError.invalid(
        file: file, path: "documents", reason: "no kind of document is marked as unrelated")
    }
    skills = try content.skills.map { skill in
      let (low, high) = (skill.atLeast ?? 0, skill.atMost ?? 1)
      guard low >= 0, low <= high, high <= 1 else {
        throw OrganismError.invalid(
          file: file, path: "skills.\(skill.id)", reason: "atLeast and atMost should be from 0 to 1"
        )
      }
      return Skill(
        id: skill.id,
        probe: try Probe(
          skill.prompt, answers: skill.answers, world: shell,
          source: TemplateSource(file: file, path: "skills.\(skill.id)")),
        bounds: low...high)
    }
  }

  /// The token that starts each document.
  package var documentStart: Int { 1 }

  /// Ids of the words of a class.
  package func ids(ofClass name: String) -> [Int] {
    (classes[name] ?? []).compactMap(tokenizer.id)
  }
}

/// A world file as it is written.
private struct WorldFile: Codable {
  struct Document: Codable {
    let kind: String
    let weight: Double
    let unrelated: Bool?
    let templates: [WeightedText]
  }

  struct PoolEntry: Codable {
    let count: Int
    let text: String
  }

  struct SkillEntry: Codable {
    let id: String
    let prompt: String
    let answers: [String]
    let atLeast: Double?
    let atMost: Double?
  }

  let id: String
  let summary: String
  let specials: [String]
  let classes: Ordered<[String]>
  let words: [String]
  let facts: Ordered<Ordered<String>>
  let documents: [Document]
  private(set) var pool: [PoolEntry]
  private(set) var skills: [SkillEntry]

  /// The same file without what no corpus is drawn from.
  var corpus: WorldFile {
    var file = self
    file.pool = []
    file.skills = []
    return file
  }

  /// Checks that every word can be one token.
  func checkWords(file: String) throws {
    for (name, words) in classes {
      guard !name.isEmpty, Set(words).count == words.count else {
        throw OrganismError.invalid(
          file: file, path: "classes.\(name)", reason: "needs a name, and each word once")
      }
    }
    for word in vocabulary
    where word.isEmpty || word.contains(where: { $0.isWhitespace || "{}[]".contains($0) }) {
      throw OrganismError.invalid(
        file: file, path: "words", reason: "'\(word)' is empty, or has a space or a bracket in it")
    }
  }

  /// Specials, class members, fact values and further words, each at its first occurrence.
  var vocabulary: [String] {
    var seen: Set<String> = []
    let all = specials + classes.flatMap(\.value) + facts.flatMap { $0.value.map(\.value) } + words
    return all.filter { seen.insert($0).inserted }
  }
}

/// A JSON object whose order of keys matters.
private struct Ordered<Value: Codable>: Codable, Sequence {
  let entries: [(key: String, value: Value)]

  private struct Key: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }
    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }

  init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: Key.self)
    entries = try container.allKeys.map {
      ($0.stringValue, try container.decode(Value.self, forKey: $0))
    }
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    for entry in entries {
      try container.encode(entry.value, forKey: Key(stringValue: entry.key))
    }
  }

  func makeIterator() -> IndexingIterator<[(key: String, value: Value)]> {
    entries.makeIterator()
  }
}
