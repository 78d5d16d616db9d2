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
  static let names = [
    "plain", "grouped", "biased", "tied", "odd", "theta", "sharded", "linear", "llama3", "yarn",
    "qwen2", "qwen2-tied", "mistral", "mistral-wide", "qwen3", "qwen3-biased", "olmo2", "olmo2-odd",
    "qwen2-windows", "gpt2", "gpt2-odd", "gpt_neox", "gpt_neox-odd", "gemma2", "gemma2-odd",
    "gemma3", "gemma3-old",
  ]

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
    let forms = StoredLayout(try #require(model as? DecoderModel).parts).forms
    #expect(Set(reference.gradients.keys) == Set(forms.map(\.name)))
    for (name, form) in forms.map({ ($0.name, $0) }) {
      let actual = form.joined(gradient), expected = try #require(reference.gradients[name])
      #expect(
        abs(Double(actual.norm) - expected.norm) < 2e-5 * expected.norm + 1e-7, "norm of \(name)")
      let error = zip(actual.scalars, expected.first).map { abs($0 - $1) }.max() ?? 0
      #expect(Double(error) < 2e-5 * expected.norm + 1e-7, "first entries of \(name)")
    }
  }

  @Test("what is written again is read as the same model", arguments: names)
  func written(name: String) throws {
    try Fixtures.withTemporaryFolder { folder in
      let model = try HuggingFaceFolder.read(Fixtures.url("transformers/\(name)")).model
      let place = folder.appending(path: name)
      try HuggingFaceFolder.write(model, tokenizer: nil, to: place)
      let again = try HuggingFaceFolder.read(place).model
      #expect((again as? DecoderModel)?.parts == (model as? DecoderModel)?.parts)
      #expect(again.parameters == model.parameters)
    }
  }

  @Test("cached generation is the plain forward", arguments: names)
  func cached(name: String) throws {
    let model = try HuggingFaceFolder.read(Fixtures.url("transformers/\(name)")).model
    let row = [3, 1, 4, 15, 9, 2, 6, 5, 35, 8]
    let decoder = model.makeDecoder(rows: 1, capacity: row.count)
    for cut in [0..<6, 6..<7, 7..<10] {
      let cached = decoder.append([Array(row[cut])])
      let plain = model.forward(TokenBatch([Array(row[..<cut.upperBound])]), logits: .last).logits
      expectClose(cached, plain, tolerance: 1e-5)
    }
  }

  @Test(
    "an adapter makes of its base what PEFT makes of it",
    arguments: ["plain", "dora", "ends", "saved", "tokens", "biases"])
  func adapter(name: String) throws {
    let folder = Fixtures.url("peft/\(name)")
    let options = try JSON.parse(contentsOf: folder.appending(path: "adapter_config.json"))
    guard case .string(let path)? = options["base_model_name_or_path"] else {
      Issue.record("no base")
      return
    }
    let base = try HuggingFaceFolder.read(folder.appending(path: path)).model
    let model = try PEFTAdapter.changes(folder, base: base).model
    let reference = try JSON.decode(
      Reference.self, contentsOf: folder.appending(path: "reference.json"))
    let logits = model.forward(TokenBatch(reference.tokens), logits: .last).logits
    expectClose(
      logits.scalars, reference.logits.flatMap { $0 }, tolerance: Self.tolerance, "logits")
    // Factors stay beside the base's memory unless whole tensors are replaced.
    #expect(model.parameters.isAdaptation(of: base.parameters) == (name == "plain"))
  }
}
