internal import JSON
internal import Transformers

/// The rows of a text file, as tokens.
struct TextRows {
  let tokens: [[Int]]

  /// What a file's rows are checked against.
  struct Reader {
    let tokenizer: (any Tokenizer)?
    /// The finetuned model's, if it has one: both have to cut the text alike.
    let other: (any Tokenizer)?
    let vocabulary: Int
    let context: Int
  }

  /// Reads a file.
  ///
  /// A plain file is of token ids if most words of it are numbers and not all are words of a tokenizer that
  /// knows whole words alone, and else of text.
  ///
  /// - Parameters:
  ///   - file: Its path.
  ///   - reader: What rows are checked against.
  ///   - chat: How a line of text is put to the models; as it is if nil.
  /// - Throws: `TextError`.
  init(_ file: String, _ reader: Reader, chat: ChatFormat? = nil) throws {
    let text = try TextLines(file)
    guard !text.lines.isEmpty else {
      throw TextError(file: file, line: nil, reason: "there is no text in it.")
    }
    let isOfIds = !text.isOfObjects && Self.isOfIds(text.lines, reader.tokenizer)
    if isOfIds, reader.tokenizer?.isOfWholeWords == false {
      Notice.standardError(
        "\(file): most of it is numbers, so it is read as token ids; a .jsonl of objects with a 'text' is text."
      )
    }
    tokens = try text.lines.map { line in
      do {
        return try reader.check(
          isOfIds
            ? reader.ids(line.text) : reader.tokens(chat?.prompt(line.text) ?? line.text))
      } catch {
        let hint =
          Self.words(line.text).first.flatMap { Int($0) } == nil || isOfIds
          ? "" : " A file is of words or of token ids, not both."
        throw TextError(file: file, line: line.number, reason: "\(error)\(hint)")
      }
    }
  }

  /// The words of a text, cut by scalars: in Swift a blank with an accent on it is one Character.
  fileprivate static func words(_ text: String) -> [String] {
    text.unicodeScalars.split(whereSeparator: \.properties.isWhitespace).map { String($0) }
  }

  private static func isOfIds(_ lines: [TextLines.Line], _ tokenizer: (any Tokenizer)?) -> Bool {
    let words = lines.lazy.flatMap { Self.words($0.text) }
    let numbers = words.count { Int($0) != nil }
    guard let tokenizer else { return numbers > 0 }
    // Most of a file says what it is; the word that does not fit is told then.
    guard 2 * numbers > words.count else { return false }
    return !(tokenizer.isOfWholeWords && words.allSatisfy { tokenizer.id($0) != nil })
  }
}

extension TextRows.Reader {
  /// Reads for a pair of models.
  init(_ models: PairFolders) {
    let shape = models.base.shape
    self.init(
      tokenizer: models.tokenizer, other: models.finetunedTokenizer, vocabulary: shape.vocabulary,
      context: shape.context)
  }

  /// The rows of lines that nobody chose for these models: those that cannot be read are left out, and what is longer
  /// than a row may be is cut.
  func rows(of lines: [TextLines.Line], chat: ChatFormat? = nil) -> [[Int]] {
    guard tokenizer?.isOfWholeWords == false else { return [] }
    return lines.compactMap { line in
      let tokens = try? tokens(chat?.prompt(line.text) ?? line.text)
      return tokens.flatMap { try? check(Array($0.prefix(context))) }
    }
  }

  /// What is wrong with a row, in a sentence.
  private struct RowError: Error, CustomStringConvertible {
    let description: String
  }

  fileprivate func ids(_ text: String) throws -> [Int] {
    try TextRows.words(text).map { word in
      guard let id = Int(word) else {
        throw RowError(description: "'\(Printable.quoted(word))' is no token id.")
      }
      return id
    }
  }

  fileprivate func tokens(_ text: String) throws -> [Int] {
    guard let tokenizer else {
      let word = TextRows.words(text).first ?? ""
      throw RowError(
        description:
          "'\(Printable.quoted(word))' is no token id, and the models have no tokenizer that Assay reads. "
          + "Write token ids.")
    }
    let tokens = try tokenizer.document(text)
    if let other, (try? other.document(text)) != tokens {
      throw RowError(
        description:
          "the tokenizers of base and finetuned model cut this line differently, so it would be "
          + "two texts. Give both folders one tokenizer, or write token ids.")
    }
    return tokens
  }

  fileprivate func check(_ row: [Int]) throws -> [Int] {
    if let stranger = row.first(where: { !(0..<vocabulary).contains($0) }) {
      throw RowError(
        description: "token \(stranger) is outside the vocabulary of \(vocabulary).")
    }
    guard row.count <= context else {
      throw RowError(
        description: "\(row.count) tokens do not fit the models' context of \(context) "
          + "('max_position_embeddings'). Cut the row.")
    }
    return row
  }
}
