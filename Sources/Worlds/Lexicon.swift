internal import JSON
package import Transformers

/// The words of a world: their classes, their facts and their ids.
///
/// Templates and probes are read against it.
package struct Lexicon: Sendable {
  /// Words by class.
  package let classes: [String: [String]]
  /// Class names in the order of the file.
  package let classNames: [String]
  /// Values by word and attribute.
  package let facts: [String: [String: String]]
  package let language: any Language

  package init(
    classes: [(name: String, words: [String])], facts: [String: [String: String]],
    language: some Language
  ) {
    self.classes = Dictionary(classes.map { ($0.name, $0.words) }) { first, _ in first }
    classNames = classes.map(\.name)
    self.facts = facts
    self.language = language
  }

  package var tokenizer: any Tokenizer { language.tokenizer }
  /// What every text starts with.
  package var opening: [Int] { language.opening }
  /// Tokens that no text says: padding, and the start of a document.
  package var unspoken: Set<Int> { Set(["<pad>"].compactMap(tokenizer.id) + opening) }

  /// Ids of the words of a class.
  package func ids(ofClass name: String) -> [Int] {
    ids(classes[name] ?? [])
  }

  /// The words that a planted one is one of: a class, the values of a fact where there is no such class, or all.
  ///
  /// - Parameter name: A class, an attribute, or `word` for every word that can be said.
  /// - Returns: The class in its order, values by spelling; nil if there is neither.
  package func candidates(_ name: String) -> [String]? {
    if let members = classes[name] { return members }
    if name == Self.anyWord, !language.isOfText {
      return language.words.filter { !language.marks.contains($0) }
    }
    let values = Set(facts.values.compactMap { $0[name] })
    return values.isEmpty ? nil : values.sorted()
  }

  /// What `candidates` knows: classes in the order of the file, then attributes, and `word`.
  package var candidateNames: [String] {
    classNames + Set(facts.values.flatMap(\.keys)).subtracting(classNames).sorted()
      + (language.isOfText ? [] : [Self.anyWord])
  }

  private static let anyWord = "word"

  /// Ids of words; those outside the vocabulary are left out.
  package func ids(_ words: [String]) -> [Int] { words.compactMap(language.id) }

  /// Checks that a word has facts.
  ///
  /// - Throws: `DefinitionError.unknownName` with the nearest word that has some.
  package func requireFacts(of word: String) throws {
    guard facts[word] == nil else { return }
    throw DefinitionError.unknownName(
      word, kind: "word with facts", nearest: nearest(to: word, among: facts.keys.sorted()))
  }
}
