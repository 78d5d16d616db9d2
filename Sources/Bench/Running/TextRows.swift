internal import Foundation
internal import JSON
internal import Transformers

/// A mistake in a text file, with its line.
package struct TextError: Error, Equatable, Sendable, CustomStringConvertible {
  let file: String
  let line: Int?
  let reason: String

  /// What it is, in words.
  package var description: String {
    "\(Printable.line(file))\(line.map { ":\($0)" } ?? ""): \(reason)"
  }
}

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

  /// Files beyond this are no rows of prompts.
  private static let sizeLimit = 1 << 26

  /// Reads a file.
  ///
  /// Lines end as on any system; empty ones and a byte order mark are passed over. A file is of token ids if
  /// most words of it are numbers and not all are words of the tokenizer, and else of words.
  ///
  /// - Throws: `TextError`.
  init(_ file: String, _ reader: Reader) throws {
    func fault(_ reason: String, _ line: Int? = nil) -> TextError {
      TextError(file: file, line: line, reason: reason)
    }
    if let reason = RegularFile.fault(URL(filePath: file), limit: Self.sizeLimit) {
      throw fault("cannot be read: \(reason).")
    }
    guard let data = try? Data(contentsOf: URL(filePath: file)),
      let text = String(validating: data, as: UTF8.self)
    else { throw fault("cannot be read: it is not UTF-8 text.") }
    let lines = Self.lines(text)
    guard !lines.isEmpty else { throw fault("there is no text in it.") }
    let isOfIds = Self.isOfIds(lines, reader.tokenizer)
    tokens = try lines.map { number, line in
      do {
        return try reader.check(isOfIds ? reader.ids(line) : reader.words(line))
      } catch {
        let hint =
          Int(line.first ?? "") == nil ? "" : " A file is of words or of token ids, not both."
        throw fault("\(error)\(isOfIds ? "" : hint)", number)
      }
    }
  }

  /// The words of each line that has some, with the line's number.
  private static func lines(_ text: String) -> [(number: Int, words: [String])] {
    // By scalars: in Swift the two of a Windows line end are one Character, which no separator equals.
    var scalars = Array(text.unicodeScalars)
    if scalars.first == "\u{FEFF}" { scalars.removeFirst() }
    var lines: [[UnicodeScalar]] = [[]]
    for (index, scalar) in scalars.enumerated() {
      switch scalar {
      case "\n" where index > 0 && scalars[index - 1] == "\r": continue
      case "\n", "\r": lines.append([])
      default: lines[lines.count - 1].append(scalar)
      }
    }
    return lines.enumerated().compactMap { index, line in
      let words = line.split(whereSeparator: \.properties.isWhitespace)
        .map { String(String.UnicodeScalarView($0)) }
      return words.isEmpty ? nil : (index + 1, words)
    }
  }

  private static func isOfIds(
    _ lines: [(number: Int, words: [String])], _ tokenizer: (any Tokenizer)?
  ) -> Bool {
    let words = lines.lazy.flatMap(\.words)
    let numbers = words.count { Int($0) != nil }
    guard let tokenizer else { return numbers > 0 }
    // Most of a file says what it is; the word that does not fit is told then.
    return 2 * numbers > words.count && !words.allSatisfy { tokenizer.id($0) != nil }
  }
}

extension TextRows.Reader {
  /// What is wrong with a row, in a sentence.
  private struct RowError: Error, CustomStringConvertible {
    let description: String
  }

  fileprivate func ids(_ words: [String]) throws -> [Int] {
    try words.map { word in
      guard let id = Int(word) else {
        throw RowError(description: "'\(Printable.quoted(word))' is no token id.")
      }
      return id
    }
  }

  fileprivate func words(_ words: [String]) throws -> [Int] {
    guard let tokenizer else {
      throw RowError(
        description:
          "'\(Printable.quoted(words[0]))' is no token id, and the models have no tokenizer that Assay reads. "
          + "Write token ids.")
    }
    let text = words.joined(separator: " ")
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
