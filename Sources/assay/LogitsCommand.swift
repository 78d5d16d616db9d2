internal import Tensors
import ArgumentParser
import Foundation
import JSON
import Transformers

struct LogitsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "logits",
    abstract: "Prints the logits after some tokens as a JSON array.")

  @OptionGroup(title: "What is told") var log: LogOptions

  @Argument(help: "A model folder: config.json and model.safetensors.")
  var folder: String

  @Option(help: "Token ids, separated by spaces.")
  var tokens: String

  func run() throws {
    let ids = try tokens.split(whereSeparator: \.isWhitespace).map { part in
      guard let id = Int(part) else {
        throw ValidationError("'\(part)' is no token id. Write ids separated by spaces.")
      }
      return id
    }
    guard !ids.isEmpty else { throw ValidationError("Give at least one token id.") }
    // No tokenizer is needed here, so none that cannot be read is spoken of.
    let model = try HuggingFaceFolder.read(URL(filePath: folder)).model
    let (vocabulary, context) = (model.shape.vocabulary, model.shape.context)
    guard ids.count <= context else {
      throw ValidationError("\(ids.count) tokens do not fit the model's context of \(context).")
    }
    if let stranger = ids.first(where: { !(0..<vocabulary).contains($0) }) {
      throw ValidationError("Token \(stranger) is outside the vocabulary of \(vocabulary).")
    }
    Console.showJSON(
      try JSON.encode(model.forward(TokenBatch([ids]), logits: .last).logits.scalars))
  }
}
