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
  package let tokenizer: WordTokenizer

  package init(
    classes: [(name: String, words: [String])], facts: [String: [String: String]],
    tokenizer: WordTokenizer, documentStart: Int
  ) {
    self.classes = Dictionary(classes.map { ($0.name, $0.words) }) { first, _ in first }
    classNames = classes.map(\.name)
    self.facts = facts
    self.tokenizer = tokenizer
    self.documentStart = documentStart
  }

  /// The token that starts each document.
  package let documentStart: Int
  /// Tokens that no text says: padding, and the start of a document.
  package var unspoken: Set<Int> { Set(ids(["<pad>"]) + [documentStart]) }

  /// Ids of the words of a class.
  package func ids(ofClass name: String) -> [Int] {
    (classes[name] ?? []).compactMap(tokenizer.id)
  }

  /// Ids of words; those outside the vocabulary are left out.
  package func ids(_ words: [String]) -> [Int] { words.compactMap(tokenizer.id) }

  /// Checks that a word has facts.
  ///
  /// - Throws: `DefinitionError.unknownName` with the nearest word that has some.
  package func requireFacts(of word: String) throws {
    guard facts[word] == nil else { return }
    throw DefinitionError.unknownName(
      word, kind: "word with facts", nearest: nearest(to: word, among: facts.keys.sorted()))
  }
}
