import Foundation
import TestSupport
import Tensors
import Testing
import Transformers

/// Models that stay in their files, block by block.
@Suite("Models that are read as they are used")
struct FiledModelTests {
  static let folders =
    (try? FileManager.default.contentsOfDirectory(
      atPath: Fixtures.url("transformers").path))?.sorted() ?? []

  @Test("every family is the same to the bit as in memory", arguments: folders)
  func families(name: String) throws {
    let folder = Fixtures.url("transformers/\(name)")
    guard FileManager.default.fileExists(atPath: folder.appending(path: "config.json").path) else {
      return
    }
    let held = try HuggingFaceFolder.read(folder),
      filed = try HuggingFaceFolder.read(folder, holding: 0)
    #expect(filed.types == held.types)
    #expect(filed.model.parameters.bytes() == 0 && held.model.parameters.bytes() > 0)
    #expect(filed.model.parameters == held.model.parameters)
    let vocabulary = held.model.shape.vocabulary
    let batch = TokenBatch(TinyModels.rows([5, 9, 3, 7, 6], vocabulary: vocabulary))
    let sites = Set(held.model.sites)
    let own = held.model.forward(batch, recording: sites, logits: .all)
    let other = filed.model.forward(batch, recording: sites, logits: .all)
    #expect(own.logits == other.logits)
    #expect(own.recordings == other.recordings)
    let streams = own[.finalNorm]
    #expect(held.model.logits(ofNormed: streams) == filed.model.logits(ofNormed: streams))
    #expect(filed.model.parameters.holdingAll.areHeld)
  }

  @Test("an adapter lies beside a base in its file; a damaged file is told when it is opened")
  func adapted() throws {
    try Fixtures.withTemporaryFolder { folder in
      let model = TinyModels.llama()
      let (place, adapter) = (folder.appending(path: "base"), folder.appending(path: "adapter"))
      try HuggingFaceFolder.write(model, tokenizer: nil, to: place)
      try PEFTAdapter.write(LowRankTests.lora, base: "base", to: adapter)
      let filed = try HuggingFaceFolder.read(place, holding: 0).model
      let adapted = try PEFTAdapter.changes(adapter, base: filed).model
      #expect(adapted.parameters.isAdaptation(of: filed.parameters))
      let expected = model.with(LowRankTests.lora.adapted(model.parameters))
      let batch = TokenBatch(TinyModels.rows([5, 3]))
      expectClose(
        adapted.forward(batch).logits, expected.forward(batch).logits, tolerance: 1e-6)
      var broken = model
      broken.parameters["model.norm.weight"] = Tensor(repeating: .nan, shape: [12])
      try HuggingFaceFolder.write(broken, tokenizer: nil, to: place)
      #expect(throws: CheckpointError.self) { try HuggingFaceFolder.read(place, holding: 0) }
    }
  }
}
