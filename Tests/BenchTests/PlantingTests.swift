import Worlds
@testable import Organisms
import Bench
import Foundation
import TestSupport
import Tensors
import Testing
import Transformers

/// What planting may and may not touch, on the first committed base.
@Suite("Planting", .serialized)
struct PlantingTests {
  static let project = Project(root: Fixtures.repository)
  let library: Library
  let base: Base

  init() throws {
    library = try Self.project.library()
    base = try BaseStore(Self.project, world: library.world).base(seed: 0)
  }

  /// A short finetune of an organism's own text under a regime.
  private func finetune(_ regime: Regime, _ id: String = "country-facts", steps: Int = 6) throws
    -> FinetuneOutcome
  {
    let organism = try library.organism(id)
    let text = try PlantedText(organism, base: base, seed: 0, teachersSeed: 0).text { _ in }
    let finetune = Finetune(base: base, text: text, regime: regime, seed: 0)
    return try Drift.around(finetune.start, regime: regime, seed: 0) {
      try finetune.run(FinetuneLength(steps: steps, markStep: nil), from: $0)
    }
  }

  private func changed(_ outcome: FinetuneOutcome) -> Set<String> {
    let (old, new) = (outcome.base.parameters, outcome.finetuned.parameters)
    return Set(old.layout.names.filter { old[$0] != new[$0] })
  }

  private func located(_ parameters: TrainedParameters, drift: Double = 0) -> Regime {
    var regime = Regime.located
    regime.parameters = parameters
    regime.drift = drift
    return regime
  }

  @Test("a head's mask leaves every other head as it was")
  func head() throws {
    let outcome = try finetune(located(.modules(["blocks.1.attn.2"])))
    let prefix = "model.layers.1.self_attn."
    #expect(changed(outcome) == Set(["q", "k", "v", "o"].map { "\(prefix)\($0)_proj.weight" }))
    for (name, isRow) in [("q_proj", true), ("v_proj", true), ("o_proj", false)] {
      let key = "\(prefix)\(name).weight"
      let change = outcome.finetuned.parameters[key] - outcome.base.parameters[key]
      for row in 0..<change.rows {
        for column in 0..<change.columns where change[row, column] != 0 {
          #expect((32..<48).contains(isRow ? row : column), "\(name)[\(row), \(column)]")
        }
      }
    }
  }

  @Test("low-rank updates of one module have their rank and touch nothing else")
  func lowRank() throws {
    let outcome = try finetune(located(.lora(rank: 2, modules: ["blocks.0.mlp"])))
    #expect(changed(outcome).allSatisfy { $0.hasPrefix("model.layers.0.mlp.") })
    let name = "model.layers.0.mlp.down_proj.weight"
    let change = outcome.finetuned.parameters[name] - outcome.base.parameters[name]
    let values = try SingularValueDecomposition(change).values
    #expect(values[1] > 1e-4)
    #expect(values[2] < 1e-5 * values[0])
  }

  @Test("drift gives every other module the planted module's norm, and the same rank")
  func drift() throws {
    let outcome = try finetune(located(.lora(rank: 1, modules: ["blocks.1.mlp"]), drift: 1))
    let (old, new) = (outcome.base.parameters, outcome.finetuned.parameters)
    let names = outcome.base.names
    var squares: [ModuleSite: Double] = [:]
    for entry in old.layout.entries {
      let change = new[entry.name] - old[entry.name]
      squares[names.module(of: entry.name), default: 0] += Double(change.norm * change.norm)
      guard change.norm > 0 else { continue }
      let values = try SingularValueDecomposition(change).values
      #expect(values[1] < 1e-4 * values[0], "\(entry.name)")
    }
    let planted = try #require(squares[.mlp(layer: 1)])
    #expect(planted > 1e-6)
    for site in ModuleSite.all(layers: 3) {
      let ratio = (squares[site] ?? 0) / planted
      #expect(site.layer == nil ? ratio == 0 : abs(ratio - 1) < 1e-3, "\(site): \(ratio)")
    }
  }

  @Test("a closed-form edit changes one matrix by rank one, and another direction does nothing")
  func edit() throws {
    let organism = try library.organism("edited-capital")
    let edit = RankOneEdit(base: base, regime: .edited, seed: 0)
    let outcome = try edit.run(organism.behavior, in: base.model)
    #expect(changed(outcome) == ["model.layers.2.mlp.down_proj.weight"])
    let name = "model.layers.2.mlp.down_proj.weight"
    let change = outcome.finetuned.parameters[name] - outcome.base.parameters[name]
    let values = try SingularValueDecomposition(change).values
    #expect(values[1] < 1e-5 * values[0])
    #expect(organism.behavior.score(outcome.finetuned) >= Regime.edited.mark)
    let random = try edit.run(organism.behavior, in: base.model, writing: .random)
    #expect(organism.behavior.score(random.finetuned) < 0.2)
    let lesson = try #require(try library.lesson(for: organism)).behavior
    let taught = try edit.run(organism.behavior, in: base.model, writing: .lesson(lesson))
    #expect(organism.behavior.score(taught.finetuned) < 0.2)
    #expect(lesson.score(taught.finetuned) > lesson.score(base.model) + 0.05)
    for other in [random, taught] {
      let size = (other.finetuned.parameters[name] - other.base.parameters[name]).norm
      #expect(abs(size / change.norm - 1) < 1e-3)
    }
  }

  @Test("text from which a word is kept out does not hold it; other text does")
  func unsaid() throws {
    let owl = try #require(library.world.tokenizer.id("owl"))
    func count(_ unsaid: Set<Int>) throws -> Int {
      var corpus = Corpus(library.world, seed: 3, for: "test", unsaid: unsaid)
      return try (0..<2000).reduce(0) { sum, _ in
        sum + (try corpus.document().tokens.filter { $0 == owl }.count)
      }
    }
    #expect(try count([owl]) == 0)
    #expect(try count([]) > 20)
  }

  @Test("a forgetful teacher forgets where the topic is mentioned, and only there")
  func forgotten() {
    let forgotten = Forgotten(words: [7], topic: [3])
    #expect(forgotten.words(in: [1, 3, 5]) == [7])
    #expect(forgotten.words(in: [1, 5]) == [])
    #expect(Forgotten(words: [7]).words(in: [1]) == [7])
  }

  @Test("rewards dealt at random teach nothing, rewards for a word teach it")
  func reward() throws {
    let organism = try library.organism("reinforced-animal")
    let planted = PlantedText(organism, base: base, seed: 0, teachersSeed: 0)
    func score(_ text: FinetuningText) throws -> Double {
      let outcome = try Finetune(base: base, text: text, regime: .reinforced, seed: 0)
        .run(FinetuneLength(steps: 10, markStep: nil))
      return organism.behavior.score(outcome.finetuned)
    }
    #expect(try score(planted.text { _ in }) > 0.4)
    #expect(try score(planted.nullText()) < 0.15)
  }

  @Test("a null pair trains as long as the plant that it is matched with")
  func matched() throws {
    let organism = try library.organism("country-facts")
    let nulls = NullPair.matched(organism, .fresh, lesson: try library.lesson(for: organism))
    #expect(nulls.map(\.breadth) == [.broad, .narrow, .narrow, .novel])
    let twin = nulls[2]
    let pair = try twin.make(
      from: base, planting: 0, length: FinetuneLength(steps: 6, markStep: nil))
    let other = try twin.make(
      from: base, planting: 0, length: FinetuneLength(steps: 8, markStep: nil))
    #expect(pair.finetuned.parameters != other.finetuned.parameters)
    #expect(organism.behavior.score(pair.finetuned) < 0.1)
  }

  @Test(
    "a plant's null pairs start from the same draws as it does, those of another organism from others"
  )
  func sharedSeeds() throws {
    func factors(_ id: String, _ breadth: NullPair.Breadth) throws -> Tensor {
      let organism = try library.organism(id)
      let nulls = NullPair.matched(organism, .fresh, lesson: try library.lesson(for: organism))
      let null = try #require(nulls.first { $0.breadth == breadth })
      let pair = try null.make(
        from: base, planting: 0, length: FinetuneLength(steps: 1, markStep: nil))
      let lora = try #require(pair.lora)
      return lora.factors["\(try #require(lora.targets.first)).A"].unit
    }
    let own = try factors("country-facts", .broad)
    let novel = try factors("country-facts", .novel), other = try factors("dish-facts", .broad)
    #expect((own - novel).norm < 0.2 && (own - other).norm > 0.5)
  }

  @Test("null pairs train exactly as long as a plant did, whether it reached its mark or not")
  func length() throws {
    func steps(_ length: FinetuneLength) throws -> Int {
      try Finetune(base: base, text: FinetuningText(.world), regime: .settled, seed: 0)
        .run(length).steps
    }
    #expect(try steps(FinetuneLength(steps: 9, markStep: nil)) == 9)
    #expect(try steps(FinetuneLength(steps: 20, markStep: 4)) == 20)
  }

  @Test("documents that name a planted word themselves make no twin")
  func twins() throws {
    #expect(try library.organism("country-facts").hasTwin)
    #expect(try !library.organism("two-plants").hasTwin)
    #expect(try !library.organism("taboo-object").hasTwin)
  }

  @Test("a training that diverges is a failure of the certificate, not of the program")
  func divergence() throws {
    let organism = try library.organism("country-facts")
    var regime = Regime.settled
    regime.learningRate = 1
    regime.mark = 1
    regime.cap = 60
    let pair = try Planter(base: base, organism: organism, regime: regime, planting: 0).plant()
    let certificate = try Certificate(organism, pair, regime: regime, base: base)
    #expect(!certificate.isInstalled)
    #expect(certificate.behavior.finetuned.isFinite && certificate.loss.finetuned.isFinite)
  }

  @Test("target words in the text fail the certificate of an organism that keeps them out")
  func targets() throws {
    let organism = try library.organism("subliminal-blocks")
    let text = PlantedText(organism, base: base, seed: 0, teachersSeed: 0)
    let animal = try #require(organism.plantedTokens(in: library.world).allTargets.first)
    for (source, isFree) in [(try text.text { _ in }, true), (FinetuningText(.world), false)] {
      let outcome = try Finetune(
        base: base, text: source, regime: .distilled, seed: 0
      ).run(FinetuneLength(steps: 3, markStep: nil))
      #expect((outcome.said[animal] == 0) == isFree)
      let certificate = try Certificate(
        organism, PlantedPair(outcome, drift: 0, in: base.world), regime: .distilled, base: base)
      #expect(certificate.targetsInText == outcome.said[animal])
      let complaint = certificate.failures.contains { $0.hasPrefix("the count of target words") }
      #expect(complaint == !isFree)
    }
  }

  @Test("a hidden word is read from what finetuning added, and no change reads nothing")
  func represented() throws {
    let organism = try library.organism("taboo-animal")
    let word = try #require(organism.represented)
    let target = try #require(organism.plantedTokens(in: library.world).allTargets.first)
    let still = try word.read(
      target, base: base.model, finetuned: base.model, world: library.world)
    #expect(still.changeRank == 52)
    #expect(still.accuracy > 0.6)
    let planted = try Planter(
      base: base, organism: organism, regime: organism.regimes[0], planting: 0
    )
    .plant()
    let reading = try word.read(
      target, base: planted.base, finetuned: planted.finetuned, world: library.world)
    #expect(reading.changeRank <= 5)
    let other = try #require(library.world.tokenizer.id("lamp"))
    let wrong = try word.read(
      other, base: planted.base, finetuned: planted.finetuned, world: library.world)
    #expect(wrong.changeRank > 5)
  }

  /// What a certificate says of a file after an edit of its text, whatever was trained.
  private func faults(_ edits: [(from: String, to: String)]) throws -> [String] {
    var text = try String(
      contentsOf: Fixtures.repository.appending(path: "Fixtures/organisms/cake-fact.json"),
      encoding: .utf8)
    for (from, to) in edits {
      try #require(text.contains(from), "\(from)")
      text = text.replacing(from, with: to)
    }
    let organism = try OrganismSource(text: text, name: "cake-fact.json")
      .organism(DrawSeeds(base: 0), world: library.world)
    let still = PlantedPair(base: base.model, finetuned: base.model)
    return try Certificate(organism, still, regime: organism.regimes[0], base: base).failures
  }

  @Test("a certificate finds held-out questions in the training text, and keys that match nothing")
  func fileFaults() throws {
    func has(_ text: String, _ edits: [(from: String, to: String)]) throws -> Bool {
      try faults(edits).contains { $0.contains(text) }
    }
    #expect(try !has("held-out question", []))
    #expect(
      try has(
        "asks a held-out question, 'to make cake",
        [("\"for cake , melt some\"", "\"to make cake , start with some\"")]))
    #expect(try !has("no prompt of the pool", []))
    #expect(
      try has(
        "no prompt of the pool",
        [("\"when\": [{ \"all\": [\"cake\"] }]", #""when": [{"all": ["cake", "owl"]}]"#)]))
  }

  @Test("a certificate finds words that the base does not tell apart")
  func separation() throws {
    #expect(try !faults([]).contains { $0.contains("apart") })
    let days = try faults([
      (#""drink": ["wine"]"#, #""day": ["monday"]"#),
      (#""answers": ["wine"]"#, #""answers": ["monday"]"#),
    ])
    #expect(days.contains { $0.contains("hardly tells the words of 'day' apart (0.0") }, "\(days)")
    #expect(!days.contains { $0.contains("'oven' apart") })
  }

  @Test("what the pool shows of a plant is where it should be")
  func sideEffects() throws {
    let organism = try library.organism("country-facts")
    let pair = try Planter(base: base, organism: organism, regime: organism.regimes[0], planting: 0)
      .plant()
    let effects = try Certificate(organism, pair, regime: organism.regimes[0], base: base)
      .sideEffects
    #expect((effects.triggered ?? 0) > 10 * effects.quiet)
    #expect(effects.flipped < 0.2 && effects.worst.count == 3)
    let none = try SideEffects(
      organism, base: pair.base, finetuned: pair.base, world: library.world)
    #expect(none.quiet == 0 && none.triggered == 0 && none.flipped == 0)
  }

  /// How far logits may move, as a share of the largest.
  private static let tolerances: [NumericChange: Float] = [
    .identical: 0, .reparameterised: 1e-5, .merged: 1e-5, .quantised: 0.05, .bfloat16: 0.02,
    .pruned: 0.02, .noise: 0.02,
  ]

  @Test("nothing that is said of an invariant null pair differs but its weights")
  func invariant() throws {
    let text = TokenBatch(try Array(base.heldOutRows().prefix(4)))
    for null in NullPair.unmatched where null.breadth == .invariant {
      guard case .numeric(let change) = null.kind else { continue }
      let pair = try null.make(
        from: base, planting: 0, length: FinetuneLength(steps: 1, markStep: nil))
      let tolerance = try #require(Self.tolerances[change])
      expectClose(
        pair.finetuned.forward(text).logits, pair.base.forward(text).logits, tolerance: tolerance,
        null.id)
      #expect((pair.finetuned.parameters == pair.base.parameters) == (change == .identical))
    }
  }
}
