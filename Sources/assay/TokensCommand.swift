import ArgumentParser
import Bench
import Foundation
import JSON
import Transformers

struct TokensCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tokens",
    abstract: "Shows how a model's tokenizer cuts text.",
    discussion: """
      Every line that is not blank becomes a line of output: a JSON array of token ids. With --words each token stands there as \
      people read it: blanks as ␣, bytes that are no character as <0xE2>. With --decode lines are ids, separated by \
      spaces, and become JSON strings.
      """)

  @OptionGroup(title: "What is told") var log: LogOptions

  @Argument(help: "A folder with tokenizer.json.")
  var folder: String

  @Argument(help: "The text; or --text.")
  var line: String?

  @Option(
    help: "A file of text, cut line by line; of objects with a 'text' if its name ends with .jsonl."
  )
  var text: String?

  @Flag(help: "Put what surrounds a document around each line.")
  var document = false

  @Flag(help: "Show tokens instead of their ids.")
  var words = false

  @Flag(help: "Turn ids into text.")
  var decode = false

  func validate() throws {
    guard (line == nil) != (text == nil) else {
      throw ValidationError("Give a text, or a file of it with --text.")
    }
    guard !decode || !(words || document) else {
      throw ValidationError("--decode stands alone: ids are read as they are.")
    }
  }

  func run() throws {
    let tokenizer = try HuggingFaceFolder.readTokenizer(URL(filePath: folder))
    for line in try lines() {
      do {
        Console.showJSON(
          try decode ? text(of: line.text, tokenizer) : tokens(of: line.text, tokenizer))
      } catch {
        throw TextError(file: text ?? "The text", line: line.number, reason: "\(error)")
      }
    }
  }

  private func lines() throws -> [TextLines.Line] {
    try text.map { try TextLines($0).lines } ?? [TextLines.Line(number: 1, text: line ?? "")]
  }

  private func tokens(of line: String, _ tokenizer: any Tokenizer) throws -> String {
    let ids = try document ? tokenizer.document(line) : tokenizer.encode(line)
    return try words ? JSON.encode(ids.map(tokenizer.word)) : JSON.encode(ids)
  }

  private func text(of line: String, _ tokenizer: any Tokenizer) throws -> String {
    let ids = try line.split(separator: " ").map { part in
      guard let id = Int(part) else { throw ValidationError("'\(part)' is no token id.") }
      return id
    }
    return try JSON.encode(tokenizer.decode(ids))
  }
}
