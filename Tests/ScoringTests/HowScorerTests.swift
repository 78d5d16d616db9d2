import Diffing
import Organisms
import TestSupport
import Tensors
import Testing
import Transformers
import Worlds

@testable import Scoring

/// Interventions whose effect is known, and tricks that should gain nothing.
@Suite("How interventions are scored")
struct HowScorerTests {
  /// Two modules changed: one makes a token likely, the other moves the stream somewhere else.
  private struct Plant {
    let base, finetuned: any LanguageModel
    let vector: Tensor
    let behavior: ProbeSet
    let meter: EffectMeter
    static let named = bias(1)
    static let other = bias(0)

    static func bias(_ layer: Int) -> String { "model.layers.\(layer).mlp.down_proj.bias" }

    /// - Parameter layer: Where the behaviour is put.
    init(layer: Int = 1) throws {
      var wide = TinyModels.llama(layers: 3, deviation: 0.15).addingMLPBiases()
      let unembedding = wide.names.unembedding
      wide.parameters[unembedding] = wide.parameters[unembedding].scaled(by: 5)
      let row = Tensor(Array(wide.parameters[wide.names.unembedding].row(7)))
      vector = (row * wide.parameters[wide.names.finalNorm]).scaled(by: 3 / row.norm)
      var generator = SeededGenerator(seed: 3)
      var model = wide
      model.parameters[Self.bias(layer)] = vector
      model.parameters[Self.other] = generator.direction(vector.count, norm: vector.norm / 2)
      (base, finetuned) = (wide, model)
      behavior = ProbeSet([[Probe.Question(tokens: [1, 2, 3], answers: [[7]])]])
      meter = EffectMeter(
        try ModelPair(base: base, finetuned: finetuned),
        EffectTexts(
          behavior: behavior, unrelated: TinyModels.rows([9, 8], seed: 3),
          pool: TinyModels.rows([4, 5, 6], seed: 9),
          labels: [true, false, false], documentStart: 1), seed: 1)
    }

    func score(_ intervention: ProposedIntervention) -> Score {
      var evidence = Evidence()
      evidence.interventions = [intervention]
      let claims = Claims(evidence, effects: meter.effects(of: intervention))
      return HowScorer().score(
        claims, against: PlantedChange(isPlanted: true, behavior: behavior),
        in: ScoringContext(
          vocabulary: 19, layers: 3, specialTokens: [0, 1], siblings: [], frequencyRanking: [],
          seed: 1))
    }

    func whole(_ factors: [Float]) -> ProposedIntervention {
      .weights(
        [Self.named, Self.other].flatMap { name in
          factors.map { TensorEdit(name: name, change: .ofFinetune(factor: $0)) }
        })
    }
  }

  @Test("the module that carries the behaviour scores above the same elsewhere, another below")
  func modules() throws {
    let plant = try Plant()
    for named in [true, false] {
      let module = ModuleSite.mlp(layer: named ? 1 : 0)
      let name = named ? Plant.named : Plant.other
      let patched = plant.score(.patch(module)).value ?? 0
      let edited =
        plant.score(
          .weights([TensorEdit(name: name, change: .ofFinetune(factor: 1))])
        ).value ?? 0
      #expect(named ? patched > 0.1 : patched < 0.05, "patch \(module): \(patched)")
      #expect(named ? edited > 0.1 : edited < 0.05, "edit \(name): \(edited)")
    }
  }

  @Test("an edit of any tensor does what the same edit of the model does, wherever its pass begins")
  func readings() throws {
    let plant = try Plant()
    var generator = SeededGenerator(seed: 4)
    for name in plant.base.parameters.layout.names {
      let shape = plant.base.parameters[name].shape
      let noise = generator.direction(shape.reduce(1, *)).reshaped(shape)
      let whole = TensorEdit(name: name, change: .dense(noise.scalars))
      let pair = try ModelPair(base: plant.base, finetuned: plant.finetuned)
      let change = try #require(WeightChange([whole], of: pair)?.unit)
      let effects = plant.meter.effects(of: .weights([whole]))
      let proposed = try #require(effects.proposed)
      let norm = try #require(WeightChange(pair)?.norm)
      for (strength, reading) in zip(Operation.weights(change).budgets, proposed) {
        let edited = change.added(to: plant.base, times: strength * norm)
        let level = plant.behavior.score(edited)
        #expect(abs(reading.levels.base - level) < 1e-5 * max(level, 0.01), "\(name)")
      }
    }
  }

  @Test("to name the usual module always is no finding, even where it carries the behaviour")
  func usual() throws {
    let last = try Plant(layer: 2).score(.patch(.mlp(layer: 2)))
    #expect((last.figures[.effect] ?? 0) > 0.1 && last.value == 0)
  }

  @Test("the direction that carries the behaviour scores above random ones, its opposite nothing")
  func directions() throws {
    let plant = try Plant()
    let right = plant.score(.steer(layer: 1, direction: plant.vector.scalars))
    #expect((right.value ?? 0) > 0.05)
    let opposite = plant.score(.steer(layer: 1, direction: plant.vector.scaled(by: -1).scalars))
    #expect(opposite.value == 0 && (opposite.figures[.effect] ?? 1) < 0)
    // At the plant's own block, the component along its direction is what the change consists of.
    let projected = plant.score(.project(layer: 1, direction: plant.vector.scalars))
    #expect((projected.figures[.effect] ?? 0) > 0.2)
  }

  @Test(
    "the whole change, half of it, too much of it, or all of it in pieces scores nothing",
    arguments: [[1], [0.5], [1.3], [0.945], [0.25, 0.75], [3, -2]] as [[Float]])
  func tricks(factors: [Float]) throws {
    let plant = try Plant()
    let score = plant.score(plant.whole(factors))
    #expect(abs(try #require(score.value)) < 1e-4, "\(factors)")
    // There was something to be had: the control has it all.
    #expect((score.figures[.control] ?? 0) > 0.1)
  }

  @Test("a choice or a weighting of tensors, or the output of the whole, is no finding")
  func weightings() throws {
    let plant = try Plant()
    for factors in [(1, 3), (3, 1), (1, 0.01)] as [(Float, Float)] {
      let score = plant.score(
        .weights([
          TensorEdit(name: Plant.named, change: .ofFinetune(factor: factors.0)),
          TensorEdit(name: Plant.other, change: .ofFinetune(factor: factors.1)),
        ]))
      #expect(abs(try #require(score.value)) < 1e-4, "\(factors)")
    }
    for module in [ModuleSite.finalNorm, .unembedding] {
      #expect(plant.score(.patch(module)).value == nil)
    }
    // The mean difference after the last block, at the strength that the other model has it.
    let pair = try ModelPair(base: plant.base, finetuned: plant.finetuned)
    let mean = pair.difference(
      at: .residualPost(layer: 2), on: TokenBatch([[1, 2, 3], [1, 5, 6, 7]])
    ).meanRow
    #expect((plant.score(.project(layer: 2, direction: mean.scalars)).value ?? 1) < 0.05)
  }

  @Test("the length of a direction and the spelling of an edit change nothing")
  func spelling() throws {
    let plant = try Plant()
    func value(_ intervention: ProposedIntervention) throws -> Double {
      try #require(plant.score(intervention).value)
    }
    let short = try value(.steer(layer: 1, direction: plant.vector.scalars))
    let long = try value(.steer(layer: 1, direction: plant.vector.scaled(by: 50).scalars))
    #expect(abs(short - long) < 1e-4)
    let once = try value(.weights([TensorEdit(name: Plant.named, change: .ofFinetune(factor: 1))]))
    let dense = try value(
      .weights(
        [0, 1].map { _ in TensorEdit(name: Plant.named, change: .dense(plant.vector.scalars)) }))
    #expect(abs(once - dense) < 1e-4)
  }

  @Test("what breaks all else is charged, and too much is as far off as too little")
  func charges() {
    func reading(_ level: Double, distance: Double) -> MeasuredEffects.Reading {
      .init(
        levels: .init(base: level, finetuned: 0.9 - level),
        distances: .init(base: distance, finetuned: distance))
    }
    func value(_ reading: MeasuredEffects.Reading, control: MeasuredEffects.Reading? = nil)
      -> Double
    {
      var evidence = Evidence()
      evidence.interventions = [.patch(.mlp(layer: 0))]
      let effects = MeasuredEffects(
        plain: .init(base: 0.1, finetuned: 0.8), distance: 0.2, proposed: [reading],
        controls: control.map { [.init(kind: "other modules", curves: [[$0]])] } ?? [])
      let score = HowScorer().score(
        Claims(evidence, effects: effects),
        against: PlantedChange(
          isPlanted: true,
          behavior: ProbeSet([[Probe.Question(tokens: [1], answers: [[2]])]])),
        in: ScoringContext(
          vocabulary: 9, layers: 2, specialTokens: [], siblings: [], frequencyRanking: [], seed: 1))
      return score.value ?? -9
    }
    #expect(abs(value(reading(0.8, distance: 0.2)) - 1) < 1e-6)
    #expect(abs(value(reading(0.1, distance: 0))) < 1e-6)
    // Half of the way, whichever side.
    #expect(abs(value(reading(0.45, distance: 0)) - 0.5) < 1e-6)
    #expect(abs(value(reading(1.15, distance: 0)) - 0.5) < 1e-6)
    // One nat further from the base than finetuning is.
    #expect(abs(value(reading(0.8, distance: 1.2)) - 0.36788) < 1e-4)
    // What the control leaves is the whole.
    let half = value(reading(0.8, distance: 0.2), control: reading(0.45, distance: 0))
    #expect(abs(half - 1) < 1e-6)
    let between = value(reading(0.625, distance: 0), control: reading(0.45, distance: 0))
    #expect(abs(between - 0.5) < 1e-6)
    #expect(value(reading(0.8, distance: 0.2), control: reading(0.8, distance: 0.2)) == 0)
  }

  @Test("what is broken is looked for where the behaviour is not due")
  func otherText() {
    let unrelated = [[1, 2], [3, 4, 5]], pool = (0..<100).map { [6, $0] }
    let behavior = ProbeSet(
      [30, 10, 1].map { count in (0..<count).map { .init(tokens: [$0], answers: [[7]]) } })
    func rows(_ batch: TokenBatch) -> [[Int]] { (0..<batch.rows).map { Array(batch.row($0)) } }
    let text = EffectTexts(
      behavior: behavior, unrelated: unrelated, pool: pool, labels: pool.indices.map { $0 < 90 },
      documentStart: 1)
    #expect(rows(text.running) == unrelated && rows(text.prompts) == pool.suffix(10))
    // Running text is read everywhere but at its start.
    #expect(text.runningCounted == Array(1..<5) && text.promptsCounted == Array(0..<20))
    let questions = text.behavior.questions.map(\.count)
    let large = EffectTexts(
      behavior: behavior, unrelated: unrelated, pool: pool, labels: [], documentStart: 1,
      isOfLarge: true)
    #expect(questions == [30, 10, 1] && large.behavior.questions.map(\.count) == [8, 2, 1])
    #expect(large.behavior.questions[1].map(\.tokens) == [[0], [5]])
    #expect(rows(large.prompts) == (0..<8).map { pool[$0 * 100 / 8] })
    #expect(
      EffectTexts(behavior: behavior, unrelated: [], pool: pool, labels: [], documentStart: 1)
        .prompts.rows == 48)
  }

  @Test("an edit that fits nothing, or is nothing, counts as chance")
  func strangers() throws {
    let plant = try Plant()
    for intervention in [
      ProposedIntervention.weights([TensorEdit(name: "no such tensor", change: .dense([1]))]),
      .steer(layer: 9, direction: plant.vector.scalars),
      .steer(layer: 1, direction: plant.vector.scaled(by: 0).scalars), plant.whole([1, -1]),
    ] {
      let score = plant.score(intervention)
      #expect(score.value == nil && score.counted == 0, "\(intervention.summary)")
    }
  }
}
