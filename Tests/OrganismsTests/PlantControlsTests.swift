import Foundation
import TestSupport
import Tensors
import Testing
import Transformers
import Worlds

@testable import Organisms

/// What certificates are held against, on the first committed base.
@Suite("Controls of certificates")
struct PlantControlsTests {
  private let library: Library
  private let base: Base

  init() throws {
    let first = try FirstBase()
    library = first.library
    base = first.base
  }

  private func controls(_ id: String) throws -> (PlantControls, PlantedPair, Organism) {
    let organism = try library.organism(id), regime = organism.regimes[0]
    let pair = try Planter(base: base, organism: organism, regime: regime, planting: 0).plant()
    return (
      try PlantControls(organism, pair, regime: regime, base: base, planting: 0), pair, organism
    )
  }

  @Test("a rank-1 backdoor fades under other training, and the model's own texts give it away")
  func backdoor() throws {
    let (controls, pair, organism) = try controls("backdoor-word")
    let planted = organism.behavior.score(pair.finetuned)
    #expect(controls.persistence.map(\.step) == [25, 50, 100])
    #expect(controls.persistence.allSatisfy { $0.score < planted })
    #expect(try #require(controls.persistence.last).score < 0.5)
    #expect(controls.freeText.top10 > controls.freeText.all)
    #expect(controls.freeText.top10 > controls.freeText.base + 0.3)
    #expect(controls.hiddenWord == nil)
    #expect((0...0.2).contains(controls.flipped.control) && controls.flipped.plant > 0)
  }

  @Test("of two models that are one, the texts of both say a word as often")
  func nothing() {
    let text = FreeText(
      of: PlantedPair(base: base.model, finetuned: base.model), words: [20, 21, 22],
      opening: library.world.lexicon.opening)
    #expect(text.all == text.base)
  }

  @Test("of a hidden word, hints at several words and the same hints in plain text are read")
  func hiddenWord() throws {
    let word = try #require(try controls("taboo-object").0.hiddenWord)
    #expect(word.mixed.count == 4 && word.mixed == word.mixed.sorted() && word.mixed[3] > 5)
    #expect((1...52).contains(word.plain))
  }

  @Test("an organism whose hints do not say what they are about has no such control")
  func noHints() throws {
    var text = try String(
      contentsOf: Fixtures.repository.appending(path: "Organisms/taboo-object.json"),
      encoding: .utf8)
    text = text.replacing("[ the secret word is $word . ] ", with: "")
      .replacing("\"teacher\": {},", with: "").replacing(
        "\"unsaid\": true", with: "\"unsaid\": false"
      )
      .replacing(",\n    \n", with: ",\n")
    let organism = try OrganismSource(text: text, name: "taboo-object.json")
      .organism(DrawSeeds(base: 0), world: library.world)
    let none = try HiddenWordControls(
      organism, regime: organism.regimes[0], base: base, FinetuneLength(steps: 2, markStep: nil),
      seed: 0)
    #expect(none == nil)
  }
}
