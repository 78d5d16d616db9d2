import Worlds
import Bench
import Foundation
@testable import Organisms
import TestSupport
import Testing
import Transformers

@Suite("Committed bases")
struct BaseStoreTests {
  static let project = Project(root: Fixtures.repository)

  @Test("each committed base is the one its recipe names, with its skills", arguments: [0, 1, 2])
  func skills(seed: UInt64) throws {
    let world = try Self.project.library().world
    let store = BaseStore(Self.project, world: world)
    #expect(FileManager.default.fileExists(atPath: store.committed(seed).path))
    let base = try store.base(seed: seed) { _ in
      Issue.record(
        "the committed base does not match the world; run 'assay plant --base-seed \(seed) --out Fixtures/bases/hearth-\(seed)'"
      )
    }
    for (skill, score) in try base.measureSkills() {
      #expect(skill.bounds.contains(score), "\(skill.id): \(score), should be in \(skill.bounds)")
    }
  }

  @Test("a short training of a base is reproducible to the byte")
  func reproducible() throws {
    let world = try Self.project.library().world
    var recipe = BaseRecipe(seed: 5)
    recipe.steps = 3
    let first = try recipe.train(world), second = try recipe.train(world)
    #expect(first.parameters == second.parameters)
    recipe.seed = 6
    #expect(try recipe.train(world).parameters != first.parameters)
  }

  @Test("an exported pair opens as two model folders")
  func export() throws {
    let world = try Self.project.library().world
    let base = try BaseStore(Self.project, world: world).base(seed: 0)
    let organism = try #require(try Self.project.library().organisms.first)
    let null = try #require(NullPair.matched(organism, .fresh, lesson: nil).first)
    let pair = try null.make(
      from: base, planting: 0, length: FinetuneLength(steps: 4, markStep: nil))
    try Fixtures.withTemporaryFolder { folder in
      let out = folder.appending(path: "pair")
      try PairStore.export(pair, certificate: nil, world: world, to: out)
      let read = try HuggingFaceFolder.read(out.appending(path: "finetuned"))
      #expect(read.model.parameters == pair.finetuned.parameters)
      #expect(read.tokenizer as? WordTokenizer == world.wordTokenizer)
      let lora = try PEFTAdapter.read(out.appending(path: "adapter"), base: pair.base)
      let merged = pair.base.with(lora.merged(into: pair.base.parameters))
      let text = TokenBatch([[1, 5, 9, 30]])
      expectClose(
        merged.forward(text).logits, pair.finetuned.forward(text).logits, tolerance: 1e-5)
    }
  }
}
