internal import JSON

/// Finds the tokens of a piece of text.
protocol TokenModel: Sendable {
  /// The model's own tokens, without added ones.
  var vocabulary: [(text: String, id: Int)] { get }
  /// The tokens of a piece.
  ///
  /// - Throws: `UnknownWord`.
  func tokens(of piece: String) throws -> [Int]
}

/// A model whose tokens are whole pieces.
struct WordLevelModel: TokenModel {
  let vocabulary: [(text: String, id: Int)]
  /// The token that stands for what is none, if one does.
  private let unknown: Int?
  private let ids: [Spelling: Int]

  /// Reads `model`.
  ///
  /// - Throws: `UnsupportedPart`.
  init(_ part: PartReader) throws {
    vocabulary = try part.vocabulary()
    ids = Dictionary(vocabulary.map { (Spelling($0.text), $0.id) }) { first, _ in first }
    unknown = try part["unk_token"].flatMap { $0 == .null ? nil : try part.text("unk_token") }
      .flatMap { [ids] in ids[Spelling($0)] }
  }

  func tokens(of piece: String) throws -> [Int] {
    guard let id = ids[Spelling(piece)] ?? unknown else {
      throw UnknownWord(word: piece, nearest: nearest(to: piece, among: vocabulary.map(\.text)))
    }
    return [id]
  }
}

extension PartReader {
  /// The entries of `vocab`, in the order of the file.
  ///
  /// - Throws: `UnsupportedPart` if an entry is no number.
  func vocabulary() throws -> [(text: String, id: Int)] {
    guard case .object(let members)? = self["vocab"], !members.isEmpty else {
      throw UnsupportedPart("'model.vocab' is no object with words")
    }
    return try members.map { text, value in
      guard case .integer(let id) = value, (0..<TokenizerFile.idLimit).contains(id) else {
        throw UnsupportedPart("the id of '\(Printable.quoted(text))' is no sensible number")
      }
      return (text, Int(id))
    }
  }
}
