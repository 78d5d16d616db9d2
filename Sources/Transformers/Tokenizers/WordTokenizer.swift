internal import JSON

/// A tokenizer whose tokens are words, separated by white space.
public struct WordTokenizer: Tokenizer, Equatable {
  /// The words in the order of their ids.
  public let vocabulary: [String]
  /// One more than the highest id.
  public let count: Int
  /// Words that stand for no text.
  public let specialTokens: Set<Int>
  private let surroundings: Surroundings
  private let entries: TokenEntries
  /// Words that are tokens wherever they stand, even within other words.
  private let added: [String]

  /// The token that starts each document; nil if none does.
  public var documentStart: Int? { surroundings.before.first }

  /// Creates a tokenizer.
  ///
  /// - Parameters:
  ///   - vocabulary: Words by id.
  ///   - specials: Ids of words that stand for no text.
  ///   - documentStart: The special token that starts each document, if one does.
  /// - Precondition: Words are unique, and every id is one of the vocabulary.
  public init(vocabulary: [String], specials: Set<Int>, documentStart: Int?) {
    precondition(
      specials.union(documentStart.map { [$0] } ?? []).isSubset(of: Set(vocabulary.indices)),
      "A special token is none of the vocabulary")
    guard let entries = try? TokenEntries(vocabulary.enumerated().map { ($1, $0) }, added: [])
    else { preconditionFailure("A word stands twice in the vocabulary") }
    self.init(
      entries, specials: specials,
      Surroundings(before: documentStart.map { [$0] } ?? []),
      added: specials.sorted().map { vocabulary[$0] })
  }

  private init(
    _ entries: TokenEntries, specials: Set<Int>, _ surroundings: Surroundings, added: [String]
  ) {
    vocabulary = entries.texts.sorted { $0.key < $1.key }.map(\.value)
    count = entries.count
    specialTokens = specials
    (self.entries, self.surroundings, self.added) = (entries, surroundings, added)
  }

  /// The id of a word, or nil if it is not in the vocabulary.
  public func id(_ word: String) -> Int? { entries.id(word) }

  /// Tokens are words.
  public var isOfWholeWords: Bool { true }

  /// The word of an id; nil for an id outside the vocabulary.
  public func entry(_ id: Int) -> String? { entries.texts[id] }

  /// The word of an id; `#12` for an id outside the vocabulary.
  public func word(_ id: Int) -> String { entries.texts[id] ?? "#\(id)" }

  /// Splits text at white space and looks every word up.
  ///
  /// - Throws: `UnknownWord`, with the nearest word; `UnsupportedText`.
  public func encode(_ text: String) throws -> [Int] {
    // By scalars, as others split: in Swift a space with an accent on it is one Character.
    try text.unicodeScalars.split(whereSeparator: \.properties.isWhitespace).map { part in
      let word = String(part)
      if !added.holds(word), let inner = added.first(where: word.contains) {
        throw UnsupportedText(
          reason: "the token '\(inner)' stands within the word '\(word)'; put spaces around it")
      }
      if let id = id(word) { return id }
      throw UnknownWord(word: word, nearest: nearest(to: word, among: vocabulary))
    }
  }

  /// The tokens of a document.
  ///
  /// - Throws: As `encode`.
  public func document(_ text: String) throws -> [Int] { surroundings.around(try encode(text)) }

  /// The words of `ids`, separated by spaces.
  public func decode(_ ids: some Sequence<Int>) -> String {
    ids.map(word).joined(separator: " ")
  }
}

/// A word that a vocabulary does not hold.
public struct UnknownWord: Error, Equatable, Sendable, CustomStringConvertible {
  /// The word.
  public let word: String
  /// The word that was probably meant.
  public let nearest: String?

  /// What it is, in words.
  public var description: String {
    "'\(Printable.quoted(word))' is not in the vocabulary."
      + (nearest.map { " Did you mean '\($0)'?" } ?? "")
  }
}

/// Text that a tokenizer would cut in a way that Assay does not know.
public struct UnsupportedText: Error, Equatable, Sendable, CustomStringConvertible {
  /// What is not supported.
  public let reason: String

  /// What it is, in words.
  public var description: String { "\(reason). Or write token ids." }
}

extension WordTokenizer {
  /// Reads a word-level model.
  ///
  /// - Returns: The tokenizer; nil if the file is another's.
  /// - Throws: `UnsupportedPart`.
  package static func read(_ file: TokenizerFile) throws -> WordTokenizer? {
    guard let model = file.document["model"], isOurs(file, model) else { return nil }
    let vocabulary = try PartReader(model, "model").vocabulary()
    return WordTokenizer(
      try TokenEntries(vocabulary, added: file.added), specials: file.specialTokens,
      file.surroundings, added: file.added.filter { !$0.isWholeWord }.map(\.text))
  }

  /// Whether a file is as Assay writes it.
  ///
  /// There the token of unknown words is the padding, which stands for nothing: a word that would be lost is told
  /// with the nearest one instead. Of others' files the `PipelineTokenizer` makes what their own library does.
  private static func isOurs(_ file: TokenizerFile, _ model: JSONValue) -> Bool {
    guard model["type"] == .string("WordLevel"), case .string(let unknown)? = model["unk_token"],
      file.roles.padding.map({ Spelling($0) == Spelling(unknown) }) ?? false
    else { return false }
    return file.document["normalizer"] ?? .null == .null
      && file.document["pre_tokenizer"]?["type"] == .string("WhitespaceSplit")
      && file.added.allSatisfy {
        !$0.text.isEmpty && !$0.text.unicodeScalars.contains(where: \.properties.isWhitespace)
      }
  }
}
