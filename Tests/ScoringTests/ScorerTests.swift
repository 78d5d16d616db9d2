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

  @Test(
    "what: the average precision of the planted tokens, recall at three depths, the place in the class"
  )
  func what() throws {
    let planted = PlantedChange(isPlanted: true, tokens: key([12, 13]))
    let others = Array(100..<119)
    let score = WhatScorer().score(
      claims([12] + others + [13]), against: planted, in: context())
    // Places 1 and 21.
    #expect(abs((score.value ?? 0) - (1 + 2.0 / 21) / 2) < 1e-12)
    #expect(score.figures[.firstRank] == 1)
    #expect(score.figures[.recallAt1] == 1)
    #expect(score.figures[.recallAt5] == 0.5)
    #expect(score.figures[.recallAt20] == 0.5)
    // First and second of their class, which is as good as can be.
    #expect(score.figures[.classPlace] == 1)
    let last = WhatScorer().score(
      claims(Array(14..<34) + [10, 11, 12, 13]), against: planted, in: context())
    #expect(abs((last.figures[.classPlace] ?? 0) - (12.5 - 23.5) / (12.5 - 1.5)) < 1e-12)
  }

  @Test("what is not answered counts as chance, with the figures that guessing gives")
  func silence() throws {
    let planted = PlantedChange(
      isPlanted: true, tokens: key([12, 13]), inputs: [true] + Array(repeating: false, count: 9),
      sites: [.mlp(layer: 1)])
    func mean(_ question: Question, _ figure: Figure? = nil) -> Double {
      let draws = (0..<400).map { seed -> Double in
        var evidence = Evidence()
        evidence.tokens = []
        evidence.inputs = []
        evidence.sites = []
        let scores = Scorers.scores(
          Claims(evidence), against: planted, in: context(seed: UInt64(seed)))
        let score = scores[question]
        return (figure.flatMap { score?.figures[$0] } ?? score?.value) ?? -1
      }
      return draws.reduce(0, +) / Double(draws.count)
    }
    let silent = Scorers.scores(Claims(Evidence()), against: planted, in: context())
    for question in [Question.what, .when, .where] {
      let score = try #require(silent[question])
      #expect(score.value == nil && score.isAsked)
      #expect(abs((score.counted ?? -1) - mean(question)) < 0.05, "\(question)")
    }
    for figure in [Figure.recallAt1, .recallAt5, .recallAt20, .classPlace] {
      let counted = try #require(silent[.what]?.figures[figure])
      #expect(abs(counted - mean(.what, figure)) < 0.05, "\(figure.name)")
    }
  }

  @Test("what: claims of the wrong sign count for nothing")
  func sign() throws {
    let planted = PlantedChange(isPlanted: true, tokens: key([12], sign: -1))
    let right = WhatScorer().score(claims([12], sign: -1), against: planted, in: context())
    let wrong = WhatScorer().score(claims([12], sign: 1), against: planted, in: context())
    #expect(right.value == 1)
    #expect((wrong.value ?? 1) < 0.5)
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
    #expect((try score(false) ?? 0) > 0.5)
    #expect((try score(true) ?? 1) < 0.1)
  }

  @Test("what: siblings give the floor of any ranking")
  func siblings() throws {
    let planted = PlantedChange(isPlanted: true, tokens: key([12]))
    let score = WhatScorer().score(
      claims([12, 20]), against: planted, in: context(siblings: [key([20]), key([21])]))
    #expect(score.figures[.siblingPrecision].map { $0 >= 0.25 } == true)
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
    #expect(!free.isAsked)
    // Where nothing is ever planted is no candidate: to name it last gains nothing, to name it first costs
    // nothing.
    evidence.sites = SiteClaim.ranking([
      (.unembedding, 9), (.embedding, 5), (.mlp(layer: 0), 2), (.mlp(layer: 1), 1),
    ])
    let among = WhereScorer().score(Claims(evidence), against: planted, in: context())
    #expect(abs((among.value ?? 0) - 2.0 / 3) < 1e-12)
    #expect(among.figures[.firstHit] == 0)
  }

  /// A second scorer of *what*, with a figure of its own and one that the first has too.
  private struct WordCount: Scorer {
    static let question = Question.what
    static let figures = [Figure("words named"), .firstRank]

    func score(_ claims: Claims, against planted: PlantedChange, in context: ScoringContext)
      -> Score
    {
      let count = Double(claims.evidence.tokens?.count ?? 0)
      return .unasked("a count is no score", figures: [Self.figures[0]: count, .firstRank: -1])
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
