package import Foundation
package import Transformers

/// Whether a model that was loaded speaks at all: a sentence of plain English costs it little.
///
/// Weights, settings and tokenizer that do not belong together load without a word, and give answers of no worth.
package struct SelfTest: Sendable, Equatable {
  static let sentence =
    "Once there was a small town by the sea, and every morning the people went to the market to buy bread and fish."

  /// Nats a token of the sentence, the first left out.
  package let cost: Double
  /// Half of what a model that knows nothing pays.
  package let limit: Double

  package var passes: Bool { cost < limit }

  /// Reads the sentence; nil without a tokenizer that reads text.
  package init?(_ model: any LanguageModel, _ tokenizer: (any Tokenizer)?) {
    guard let tokenizer, !tokenizer.isOfWholeWords,
      let tokens = try? tokenizer.document(Self.sentence), tokens.count > 1,
      tokens.allSatisfy((0..<model.shape.vocabulary).contains)
    else { return nil }
    let row = Array(tokens.prefix(model.shape.context))
    cost = model.meanLoss([row])
    limit = log(Double(model.shape.vocabulary)) / 2
  }

  /// Refuses a model that fails.
  ///
  /// - Throws: `CheckpointError.unreadable`.
  package static func require(_ checkpoint: Checkpoint, _ folder: URL) throws {
    guard let test = SelfTest(checkpoint.model, checkpoint.tokenizer), !test.passes else { return }
    throw CheckpointError.unreadable(
      file: folder.path,
      reason: "it loads, but \(test.meaning). '--insist' takes it all the same")
  }

  /// The cost and its limit, in words, and what it means if it is beyond.
  var meaning: String {
    "a plain sentence costs "
      + String(format: "%.2f nats a token, where less than %.2f are expected", cost, limit)
      + (passes ? "" : ": weights, config.json and tokenizer may not belong together")
  }
}
