// A package of somebody else's that brings a method: `.ci/library` builds and runs it.
import Diffing
import Foundation
import Tensors
import Transformers

/// How much the first block changed.
struct FirstBlockNorm: DiffingMethod {
  static let card = MethodCard(
    id: "first-block-norm", summary: "The norm of what the first block changed by.",
    source: "an example", questions: [.whether, .where], access: [.weights])

  init() {}

  func diff(_ pair: ModelPair, on prompts: PromptSet, using generator: inout SeededGenerator)
    throws -> Evidence
  {
    var evidence = Evidence()
    let names = pair.base.names.blocks[0].map(\.name)
    evidence.magnitude = names.reduce(0.0) { $0 + Double(pair.change(of: $1).norm) }
    evidence.sites = SiteClaim.ranking([(.attention(layer: 0), 1), (.mlp(layer: 0), 1)])
    return evidence
  }
}

let models = try CommandLine.arguments.dropFirst().map {
  try HuggingFaceFolder.read(URL(filePath: $0)).model
}
let pair = try ModelPair(base: models[0], finetuned: models[1])
let prompts = PromptSet(
  access: .weights, text: TokenBatch([]), documentStart: 1, specialTokens: [])
var generator = SeededGenerator(seed: 0)
let evidence = try FirstBlockNorm().evidence(for: pair, on: prompts, using: &generator)
print("\(FirstBlockNorm.card.id): \(evidence.magnitude ?? 0)")
