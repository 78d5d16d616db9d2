internal import Transformers
internal import JSON

/// A world file as it is written.
struct WorldFile: Codable {
  struct Document: Codable {
    let kind: String
    let weight: Double
    let unrelated: Bool?
    let templates: [WeightedText]?
    /// A file, seen from the library, whose lines are documents.
    let lines: String?
  }

  struct PoolEntry: Codable {
    let count: Int?
    let text: String?
    /// A file, seen from the library, whose lines a user asks.
    let lines: String?
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
  /// A model that people have, by the name that it is fetched by; bases are trained if nil.
  let model: String?
  private let specials: [String]?
  let classes: Ordered<[String]>
  private let words: [String]?
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
        throw DefinitionError.invalid(
          file: file, path: "classes.\(name)", reason: "needs a name, and each word once")
      }
    }
    for word in vocabulary
    where word.isEmpty || word.contains(where: { $0.isWhitespace || "{}[]".contains($0) }) {
      throw DefinitionError.invalid(
        file: file, path: "words", reason: "'\(word)' is empty, or has a space or a bracket in it")
    }
  }

  /// The words of the world, checked.
  func lexicon(_ model: ModelFolder?, file: String) throws -> Lexicon {
    func fault(_ path: String, _ reason: String) -> DefinitionError {
      .invalid(file: file, path: path, reason: reason)
    }
    guard Name.isValid(id) else {
      throw fault("id", "should be of lowercase letters, digits and hyphens")
    }
    guard classes.allSatisfy({ !$0.value.isEmpty }) else {
      throw fault("classes", "a class is empty")
    }
    try checkWords(file: file)
    let words = Set(vocabulary)
    if let stranger = facts.first(where: { !words.contains($0.key) }) {
      throw DefinitionError.unknownWord(
        stranger.key, file: file, path: "facts.\(stranger.key)",
        nearest: nearest(to: stranger.key, among: classes.flatMap(\.value)))
    }
    let known = Dictionary(
      facts.map { ($0.key, Dictionary($0.value.map { ($0.key, $0.value) }) { $1 }) }
    ) { $1 }
    let named = classes.map { (name: $0.key, words: $0.value) }
    guard let model else {
      return Lexicon(classes: named, facts: known, language: try wordLanguage(fault))
    }
    guard specials == nil, self.words == nil else {
      throw fault(
        "model", "has words and marks of its own; 'words' and 'specials' leave no room for it")
    }
    for (name, words) in named {
      for word in words where model.language.id(word) == nil {
        throw fault("classes.\(name)", "'\(word)' is not one token of the model")
      }
    }
    return Lexicon(classes: named, facts: known, language: model.language)
  }

  private func wordLanguage(_ fault: (String, String) -> DefinitionError) throws -> WordLanguage {
    let specials = specials ?? []
    guard let start = specials.firstIndex(of: "<bos>"), specials.contains("<pad>"),
      Set(specials).count == specials.count
    else { throw fault("specials", "should list <pad>, <bos> and any further marks, once each") }
    return WordLanguage(
      WordTokenizer(
        vocabulary: vocabulary, specials: Set(specials.indices), documentStart: start))
  }

  /// Specials, class members, fact values and further words, each at its first occurrence.
  private var vocabulary: [String] {
    var seen: Set<String> = []
    let all =
      (specials ?? []) + classes.flatMap(\.value) + facts.flatMap { $0.value.map(\.value) }
      + (words ?? [])
    return all.filter { seen.insert($0).inserted }
  }
}

/// A JSON object whose order of keys matters.
struct Ordered<Value: Codable>: Codable, Sequence {
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
