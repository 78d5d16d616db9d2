import Worlds
@testable import Diffing
@testable import Organisms
import Scoring
import TestSupport
import Tensors
import Testing
import Transformers

@Suite("Scorers")
struct ScorerTests {
  let base = TinyModels.llama(layers: 2)

  private func context(siblings: [PlantedChange.Tokens] = [], seed: UInt64 = 1)
    -> ScoringContext
  {
    ScoringContext(
      vocabulary: 200, layers: 2, specialTokens: [0, 1], siblings: siblings, frequencyRanking: [],
      seed: seed)
  }

  private func key(_ tokens: [Int], sign: Int = 1) -> PlantedChange.Tokens {
    PlantedChange.Tokens(
      target: ["animal": tokens], candidates: ["animal": Array(10..<34)], topic: [], trigger: [],
      sign: sign)
  }

  private func claims(_ tokens: [Int], sign: Int = 1) -> Claims {
    var evidence = Evidence()
    evidence.tokens = tokens.map { TokenClaim(token: $0, score: 1, sign: sign) }
    return Claims(evidence)
  }

  @Test("what: planted tokens among the first twenty")
  func what() throws {
    let planted = PlantedChange(isPlanted: true, tokens: key([12, 13]))
    let others = Array(100..<119)
    let score = WhatScorer().score(
      claims([12] + others + [13]), against: planted, in: context())
    #expect(score.value == 0.5)
    #expect(score.figures[.firstRank] == 1)
    #expect(score.figures[.classRank] == 1.5)
    #expect(score.figures[.classChance] == 12.5)
  }

  @Test("what: claims of the wrong sign count for nothing")
  func sign() throws {
    let planted = PlantedChange(isPlanted: true, tokens: key([12], sign: -1))
    let right = WhatScorer().score(claims([12], sign: -1), against: planted, in: context())
    let wrong = WhatScorer().score(claims([12], sign: 1), against: planted, in: context())
    #expect(right.value == 1)
    #expect(wrong.value == 0)
  }

  @Test("what: a method that names nothing is unscored, one that claims nothing is at chance")
  func unscored() throws {
    let planted = PlantedChange(isPlanted: true, tokens: key([12]))
    #expect(WhatScorer().score(Claims(Evidence()), against: planted, in: context()).value == nil)
    let ranks = (0..<200).map { seed in
      WhatScorer().score(claims([]), against: planted, in: context(seed: UInt64(seed))).value ?? -1
    }
    let mean: Double = ranks.reduce(0, +) / 200
    #expect(abs(mean - 0.101) < 0.06)
  }

  @Test("what: where every class has to be found, the worst one is the score")
  func everyClass() throws {
    let target = ["first": [12], "second": [150]]
    func score(_ needsEvery: Bool) throws -> Double? {
      let tokens = PlantedChange.Tokens(
        target: target, candidates: target, topic: [], trigger: [], sign: 1, needsEvery: needsEvery)
      let claimed = claims([12] + Array(20..<45))
      return WhatScorer().score(
        claimed, against: PlantedChange(isPlanted: true, tokens: tokens), in: context()
      ).value
    }
    #expect(try score(false) == 0.5)
    #expect(try score(true) == 0)
  }

  @Test("what: siblings give the floor of any ranking")
  func siblings() throws {
    let planted = PlantedChange(isPlanted: true, tokens: key([12]))
    let score = WhatScorer().score(
      claims([12, 20]), against: planted, in: context(siblings: [key([20]), key([21])]))
    #expect(score.figures[.siblingRecall].map { $0 >= 0.5 } == true)
  }

  @Test("when: average precision against the base rate")
  func when() throws {
    let planted = PlantedChange(isPlanted: true, inputs: [false, true, false, true])
    var evidence = Evidence()
    evidence.inputs = [1, 3, 0, 2].map { InputClaim(row: $0, score: 1) }
    let score = WhenScorer().score(Claims(evidence), against: planted, in: context())
    #expect(score.value == 1)
    #expect(score.chance == Ranking.averagePrecisionByChance(2, of: 4))
  }

  @Test("where: only organisms with a write mask have an answer")
  func whereScores() throws {
    var evidence = Evidence()
    evidence.sites = SiteClaim.ranking([
      (.mlp(layer: 0), 1), (.mlp(layer: 1), 3), (.attention(layer: 0), 2),
    ])
    let planted = PlantedChange(isPlanted: true, sites: [.mlp(layer: 1)])
    let score = WhereScorer().score(Claims(evidence), against: planted, in: context())
    #expect(score.value == 1)
    #expect(score.figures[.firstHit] == 1)
    let free = WhereScorer().score(
      Claims(evidence), against: PlantedChange(isPlanted: true), in: context())
    #expect(free.value == nil)
  }

  @Test("how: the true change scores about one, a random one about nothing")
  func how() throws {
    // A bias behind the last block that makes one token likely.
    let wide = base.addingMLPBiases()
    let row = Tensor(Array(wide.parameters[wide.names.unembedding].row(7)))
    let vector = (row * wide.parameters[wide.names.finalNorm]).scaled(by: 40 / row.norm)
    var finetuned = wide
    finetuned.parameters["model.layers.1.mlp.down_proj.bias"] = vector
    let behavior = ProbeSet([[Probe.Question(tokens: [1, 2, 3], answers: [[7]])]])
    let planted = PlantedChange(isPlanted: true, behavior: behavior)
    let meter = EffectMeter(
      try ModelPair(base: wide, finetuned: finetuned), behavior: behavior, seed: 1)
    func score(_ intervention: ProposedIntervention) -> Score {
      var evidence = Evidence()
      evidence.interventions = [intervention]
      let claims = Claims(evidence, effects: meter.effects(of: intervention))
      return HowScorer().score(claims, against: planted, in: context())
    }
    let right = score(.steer(layer: 1, direction: vector.scalars))
    #expect((right.figures[.appears] ?? 0) > 0.99)
    #expect((right.figures[.vanishes] ?? 0) > 0.99)
    #expect((right.value ?? 0) > 0.6)
    let opposite = score(.steer(layer: 1, direction: vector.scaled(by: -1).scalars))
    #expect((opposite.value ?? 1) < 0.1)
    let patched = score(.patch(.mlp(layer: 1)))
    #expect((patched.figures[.appears] ?? 0) > 0.99)
    let projected = score(.project(layer: 1, direction: vector.scalars))
    #expect((projected.figures[.appears] ?? 0) > 0.99)
    #expect((projected.figures[.vanishes] ?? 0) > 0.99)
    let name = "model.layers.1.mlp.down_proj.bias"
    let part = score(.weights([.init(name: name, change: .ofFinetune(factor: 0.8))]))
    #expect((part.figures[.appears] ?? 0) > 0.9)
    // The whole change is no finding: putting it in gives the finetuned model, whatever it is.
    let whole = score(.weights([.init(name: name, change: .dense(vector.scalars))]))
    #expect(whole.value == nil && whole.reason?.contains("whole change") == true)
    // An edit that fits no tensor is no proposal.
    let stranger = score(.weights([.init(name: "no such tensor", change: .dense([1]))]))
    #expect(stranger.value == nil && stranger.reason?.contains("fits no") == true)
    #expect(score(.steer(layer: 9, direction: vector.scalars)).value == nil)
  }

  /// A second scorer of *what*, with a figure of its own and one that the first has too.
  private struct WordCount: Scorer {
    static let question = Question.what
    static let figures = [Figure("words named"), .firstRank]

    func score(_ claims: Claims, against planted: PlantedChange, in context: ScoringContext)
      -> Score
    {
      let count = Double(claims.evidence.tokens?.count ?? 0)
      return .unscored("a count is no score", figures: [Self.figures[0]: count, .firstRank: -1])
    }
  }

  @Test("a second scorer of a question adds figures to the first's score and changes nothing of it")
  func second() throws {
    let planted = PlantedChange(isPlanted: true, tokens: key([12, 13]))
    let alone = try #require(
      Scorers.scores(claims([12, 3]), against: planted, in: context(), by: [WhatScorer.self])[
        .what])
    let both = try #require(
      Scorers.scores(
        claims([12, 3]), against: planted, in: context(),
        by: [WhatScorer.self, WordCount.self])[.what])
    #expect(both.value == alone.value && both.reason == nil)
    #expect(both.figures[Figure("words named")] == 2)
    #expect(both.figures[.firstRank] == alone.figures[.firstRank])
    #expect(both.figures.count == alone.figures.count + 1)
  }

  @Test("no two scorers of a question declare the same figure")
  func figureNames() {
    let named = Scorers.all.flatMap { scorer in
      scorer.figures.map { "\(scorer.question) \($0.name)" }
    }
    #expect(Set(named).count == named.count)
  }

  @Test("null pairs are scored by nobody")
  func null() throws {
    for scorer in Scorers.all {
      let score = scorer.init().score(claims([12]), against: .null, in: context())
      #expect(score.value == nil)
    }
  }
}
