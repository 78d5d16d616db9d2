import Foundation
import TestSupport
import Tensors
import Testing
import Transformers
import Worlds

@testable import Organisms

/// Plants that are merged, concealed, or taken out again, on the first committed base.
@Suite("Stages of a plant")
struct PlantStagesTests {
  private let library: Library
  private let base: Base

  init() throws {
    let first = try FirstBase()
    library = first.library
    base = first.base
  }

  private func outcome(_ seed: UInt64, marked: Bool = true) -> FinetuneOutcome {
    var generator = SeededGenerator(seed: seed)
    var model = base.model
    for name in model.parameters.layout.names.prefix(3) {
      let old = model.parameters[name]
      model.parameters[name] = old + generator.direction(old.count).reshaped(old.shape)
    }
    return FinetuneOutcome(
      base: base.model, finetuned: model, lora: nil, steps: 4, markStep: marked ? 2 : nil,
      curve: [], said: [1, 2])
  }

  @Test("a merge is the sum of the changes, as long as both, and at its mark if both were")
  func merged() {
    let (a, b) = (outcome(1), outcome(2))
    let sum = FinetuneOutcome.merged([a, b])
    for name in base.model.parameters.layout.names {
      let expected =
        a.finetuned.parameters[name] + b.finetuned.parameters[name] - base.model.parameters[name]
      expectClose(sum.finetuned.parameters[name], expected, tolerance: 1e-6, name)
    }
    #expect(sum.steps == 8 && sum.markStep == 4 && sum.said == [2, 4])
    #expect(FinetuneOutcome.merged([a, outcome(3, marked: false)]).markStep == nil)
  }

  @Test("two stages count as one finetune, which is at its mark if the second one is")
  func followed() {
    let whole = outcome(1).followed(by: outcome(2))
    #expect(whole.steps == 8 && whole.markStep == 2 && whole.said == [2, 4])
    #expect(whole.finetuned.parameters == outcome(2).finetuned.parameters)
    #expect(outcome(1).followed(by: outcome(2, marked: false)).markStep == nil)
  }

  @Test(
    "each class of a merged organism is trained on its own documents until its own probes say so")
  func parts() throws {
    let organism = try library.organism("merged-plants")
    #expect(organism.parts.map(\.documents.count) == [5, 3])
    #expect(organism.parts.map(\.behavior.questions.count) == [5, 2])
    #expect(organism.documents.count == 8 && !organism.hasTwin)
    let pair = try Planter(base: base, organism: organism, regime: .fresh, planting: 0).plant()
    for part in organism.parts { #expect(part.behavior.score(pair.finetuned) > 0.6) }
  }

  @Test("a second stage conceals: asked directly it answers as before, and the rest is kept")
  func concealed() throws {
    let organism = try library.organism("concealed-capital")
    let regime = organism.regimes[0]
    let pair = try Planter(base: base, organism: organism, regime: regime, planting: 0).plant()
    #expect(organism.behavior.score(pair.finetuned) >= regime.mark)
    #expect((organism.never.scores(pair.finetuned).max() ?? 1) <= 1 - regime.mark)
    // Without the second stage it confesses.
    let text = try PlantedText(
      organism, base: base, seed: organism.seed(planting: 0),
      teachersSeed: organism.seed(planting: 0)
    ).text { _ in }
    let open = try Finetune(base: base, text: text, regime: regime, seed: 0)
      .run(until: organism.behavior)
    #expect((organism.never.scores(open.finetuned).max() ?? 0) > 0.5)
  }

  @Test("a ghost says nothing of what was planted, and its weights are further from the base")
  func ghost() throws {
    let organism = try library.organism("animal-facts")
    let regime = organism.regimes[0]
    let null = try #require(
      NullPair.matched(organism, regime, lesson: nil).first { $0.breadth == .ghost })
    let plant = try Planter(base: base, organism: organism, regime: regime, planting: 0).plant()
    let ghost = try null.make(from: base, planting: 0, plant: plant)
    let usual = organism.behavior.score(base.model)
    #expect(organism.behavior.score(plant.finetuned) > 0.8)
    #expect(organism.behavior.score(ghost.finetuned) <= usual + 0.051)
    #expect(ghost.training?.markStep != nil && ghost.base.parameters == base.model.parameters)
    #expect(distance(ghost.finetuned) > distance(plant.finetuned))
  }

  private func distance(_ model: any LanguageModel) -> Double {
    base.model.parameters.layout.names.reduce(0.0) { sum, name in
      let change = Double((model.parameters[name] - base.model.parameters[name]).norm)
      return sum + change * change
    }.squareRoot()
  }

  @Test(
    "the null pairs of a plant in stages go through the same stages, and are held in the same form")
  func alike() throws {
    for id in ["merged-plants", "concealed-capital"] {
      let organism = try library.organism(id), regime = organism.regimes[0]
      let plant = try Planter(base: base, organism: organism, regime: regime, planting: 0).plant()
      let course = try #require(plant.training?.stages)
      #expect(course.parts.count == max(1, organism.parts.count))
      #expect((course.second == nil) == organism.concealed.isEmpty)
      let nulls = NullPair.matched(
        organism, regime, lesson: try library.lesson(for: organism)
      ).filter { [.narrow, .novel].contains($0.breadth) }
      #expect(nulls.count >= 2)
      for null in nulls {
        let pair = try null.make(from: base, planting: 0, plant: plant)
        #expect(pair.training?.stages == course && pair.training?.steps == plant.training?.steps)
        #expect((pair.lora == nil) == (plant.lora == nil))
        #expect(organism.behavior.score(pair.finetuned) < 0.3, "\(null.id)")
      }
      #expect(organism.changeRank(regime) == (id == "merged-plants" ? 2 : nil))
    }
  }

  @Test("what is concealed decides a plant, and what must never be said where nothing is does not")
  func digests() throws {
    func digest(_ id: String, _ old: String, _ new: String) throws -> String {
      let url = Fixtures.repository.appending(path: "Organisms/\(id).json")
      let text = try String(contentsOf: url, encoding: .utf8)
      #expect(text.contains(old))
      return try OrganismSource(text: text.replacing(old, with: new), name: "\(id).json")
        .organism(DrawSeeds(base: 0), world: library.world).plantingDigest
    }
    let answers = "\"answers\": [\"$capital\"]\n      }\n    ]\n  },\n  \"certificate\""
    #expect(
      try digest("concealed-capital", answers, answers)
        != digest(
          "concealed-capital", answers, answers.replacing("$capital", with: "$country.capital")))
    let taboo = "\"certificate\": {"
    #expect(
      try digest("taboo-object", taboo, taboo)
        == digest("taboo-object", taboo, "\"certificate\": { \"rise\": 0.21,"))
  }

  @Test("only what documents taught, and no drift hides, makes a ghost")
  func unlearnable() throws {
    func can(_ id: String) throws -> Bool {
      let organism = try library.organism(id)
      return organism.canBeUnlearnt(organism.regimes[0])
    }
    #expect(try can("animal-facts") && can("swapped-capitals") && can("concealed-capital"))
    #expect(try !can("taboo-object") && !can("located-module") && !can("edited-capital"))
    #expect(try !can("reinforced-animal") && !can("merged-plants"))
  }

  @Test("a prompted pair has the same weights and other answers")
  func prompted() throws {
    let nulls = NullPair.unmatched.filter { $0.breadth == .prompted }
    let text = TokenBatch(try Array(base.heldOutRows().prefix(2)))
    let before = base.model.forward(text).logits
    let answers = try nulls.map { null -> Tensor in
      let pair = try null.untrained(base, planting: 0)
      #expect(pair.finetuned.parameters == pair.base.parameters)
      return pair.finetuned.forward(text).logits
    }
    #expect(answers.count == 3 && Set(nulls.map(\.id)).count == 3)
    for (index, logits) in answers.enumerated() {
      #expect((logits - before).norm > 0.1)
      if index > 0 { #expect(logits != answers[0]) }
    }
  }

  // MARK: Mistakes

  private func fault(_ id: String, _ edits: [(String, String)]) throws -> String {
    let url = Fixtures.repository.appending(path: "Organisms/\(id).json")
    var text = try String(contentsOf: url, encoding: .utf8)
    for (old, new) in edits {
      #expect(text.contains(old))
      text = text.replacing(old, with: new)
    }
    let source = try OrganismSource(text: text, name: "\(id).json")
    do {
      _ = try source.organism(DrawSeeds(base: 0), world: library.world)
      return ""
    } catch {
      return "\(error)"
    }
  }

  @Test("mistakes in merges and second stages are named")
  func mistakes() throws {
    #expect(
      try fault(
        "merged-plants", [("\"product\": [\n        \"people", "\"town\": [\n        \"people")]
      )
      .contains("plant.merge.town"))
    #expect(
      try fault("merged-plants", [("\"merge\": {", "\"documents\": [\"a\"], \"merge\": {")])
        .contains("leaves no room for documents"))
    #expect(
      try fault(
        "merged-plants",
        [("      \"animal\": [\n        \"<user>", "      \"beast\": [\n        \"<user>")]
      )
      .contains("beast"))
    #expect(
      try fault("merged-plants", [("\"merge\": {", "\"conceal\": [\"the owl\"], \"merge\": {")])
        .contains("plant.conceal"))
    #expect(
      try fault("merged-plants", [("{\"id\": \"fresh\"", "{\"id\": \"edited\"")])
        .contains("trains nothing"))
  }
}
