import Foundation
import JSON
import TestSupport
import Tensors
import Testing
import Transformers

/// What `Fixtures/make_references.py` wrote beside each model.
struct Reference: Decodable {
  struct Gradient: Decodable {
    let norm: Double
    let first: [Float]
  }

  let tokens: [[Int]]
  let logits: [[Float]]
  let loss: Double
  let gradients: [String: Gradient]
  let madeWith: JSONValue
}

@Suite("Models that transformers wrote")
struct ReferenceTests {
  static let names = ["plain", "grouped", "biased", "tied", "odd", "theta", "sharded"]

  // Single precision on both sides agrees to 2e-6; a wrong epsilon moves `odd` by 4e-3.
  static let tolerance: Float = 1e-5

  @Test("logits, loss and gradients agree", arguments: names)
  func reference(name: String) throws {
    let folder = Fixtures.url("transformers/\(name)")
    let model = try HuggingFaceFolder.read(folder).model
    let reference = try JSON.decode(
      Reference.self, contentsOf: folder.appending(path: "reference.json"))
    let logits = model.forward(TokenBatch(reference.tokens), logits: .last).logits
    expectClose(
      logits.scalars, reference.logits.flatMap { $0 }, tolerance: Self.tolerance, "logits")
    let (loss, gradient) = model.lossAndGradient(on: TrainingBatch(reference.tokens))
    #expect(abs(loss - reference.loss) < 1e-5)
    #expect(reference.gradients.count == model.parameters.layout.names.count)
    for (name, expected) in reference.gradients.sorted(by: { $0.key < $1.key }) {
      let actual = gradient[name]
      #expect(
        abs(Double(actual.norm) - expected.norm) < 2e-5 * expected.norm + 1e-7, "norm of \(name)")
      let error = zip(actual.scalars, expected.first).map { abs($0 - $1) }.max() ?? 0
      #expect(Double(error) < 2e-5 * expected.norm + 1e-7, "first entries of \(name)")
    }
  }

  @Test("a PEFT adapter merges as PEFT merges it")
  func adapter() throws {
    let base = try HuggingFaceFolder.read(Fixtures.url("transformers/plain")).model
    let lora = try PEFTAdapter.read(Fixtures.url("peft"), base: base)
    guard let llama = base as? Llama else {
      Issue.record("the reference is no Llama")
      return
    }
    let merged = llama.with(lora.merged(into: llama.parameters))
    let reference = try JSON.decode(
      Reference.self, contentsOf: Fixtures.url("peft/reference.json"))
    let logits = merged.forward(TokenBatch(reference.tokens), logits: .last).logits
    expectClose(
      logits.scalars, reference.logits.flatMap { $0 }, tolerance: Self.tolerance, "logits")
  }
}
