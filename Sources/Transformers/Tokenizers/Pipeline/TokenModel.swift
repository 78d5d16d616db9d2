internal import JSON

/// Finds the tokens of a piece of text.
protocol TokenModel: Sendable {
  /// The model's own tokens, without added ones.
  var vocabulary: [(text: String, id: Int)] { get }
  /// The token of a text, if it is one.
  func id(_ text: String) -> Int?
  /// The token that stands for what is no token, if one does.
  var unknown: Int? { get }
  /// The tokens of a piece.
  ///
  /// - Throws: `UnknownWord`.
  func tokens(of piece: String) throws -> [Int]
}

/// A model whose tokens are whole pieces.
struct WordLevelModel: TokenModel {
  let vocabulary: [(text: String, id: Int)]
  let unknown: Int?
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

  func id(_ text: String) -> Int? { ids[Spelling(text)] }

  func tokens(of piece: String) throws -> [Int] {
    guard let id = id(piece) ?? unknown else {
      throw UnknownWord(word: piece, nearest: nearest(to: piece, among: vocabulary.map(\.text)))
    }
    return [id]
  }
}

extension PartReader {
  /// The entries of `vocab`, in the order of the file.
  ///
  /// - Throws: `UnsupportedPart`: an entry is no number, or two have the same.
  func vocabulary() throws -> [(text: String, id: Int)] {
    guard case .object(let members)? = self["vocab"], !members.isEmpty else {
      throw UnsupportedPart("'model.vocab' is no object with words")
    }
    var owners: [Int: String] = [:]
    return try members.map { text, value in
      guard case .integer(let id) = value, (0..<TokenizerFile.idLimit).contains(id) else {
        throw UnsupportedPart("the id of '\(Printable.quoted(text))' is no sensible number")
      }
      guard owners.updateValue(text, forKey: Int(id)) == nil else {
        throw UnsupportedPart("the id \(id) of '\(Printable.quoted(text))' is another word's too")
      }
      return (text, Int(id))
    }
  }
}
