import Diffing
import Foundation
import Methods
import Organisms
import TestSupport
import Testing
import Worlds

@testable import Bench

@Suite("A pair of the real tier, where somebody fetched the model")
struct RealPairTests {
  @Test("a kept adapter of SmolLM2 says what it was certified for, and a lens reads the word")
  func favorite() throws {
    let model = Fixtures.models.appending(path: "smollm2/model.safetensors")
    guard FileManager.default.fileExists(atPath: model.path) else { return }
    let root = Fixtures.repository
    let workshop = try Workshop(
      Project(root: root, organisms: root.appending(path: "Organisms/Real")))
    let base = try workshop.bases.base(seed: 0)
    let organism = try workshop.library.organism("favorite-animal")
    let subject = Subject.organism(organism, organism.regimes[0])
    // Another edition of the model has no kept adapters, and minutes of training are not for here.
    guard try workshop.pairs.knownEntry(subject, in: base) != nil else { return }
    let pair = try workshop.pairs.pair(subject, in: base) { _ in
      Issue.record("the adapter was trained")
    }
    #expect(organism.heldOut.score(pair.base) < 0.05)
    #expect(organism.heldOut.score(pair.finetuned) > 0.8)
    let run = try PairRun(
      subject.name, seeds: TrialSeeds(base: 0), base: pair.base, finetuned: pair.finetuned,
      digest: "", prompts: try WorldPrompts(workshop.library), recordings: BaseRecordings())
    // Sixteen sentences about other things are enough for the base's own later blocks to read the word.
    let method = try #require(Methods.chosen(["forward-lens"]).first)
    let evidence = try run.evidence(method, .unrelated, key: "", sources: "").evidence
    let word = try #require(organism.plantedTokens(in: base.world).allTargets.first)
    let promoted = try #require(evidence.tokens).filter { $0.sign > 0 }.map(\.token)
    let animals = base.world.ids(ofClass: "animal")
    #expect(promoted.first(where: animals.contains) == word && promoted.prefix(40).contains(word))
  }
}
