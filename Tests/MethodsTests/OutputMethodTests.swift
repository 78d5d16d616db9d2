import Methods
import Diffing
import TestSupport
import Tensors
import Testing
import Transformers

/// Methods that look at answers and samples, on numbers that are known.
@Suite("Output methods on known changes")
struct OutputMethodTests {
  let base = KnownChange.base

  @Test("row comparisons are the textbook divergences")
  func comparisons() {
    let p = Tensor(shape: [1, 2], scalars: [Float(logarithm(0.75)), Float(logarithm(0.25))])
    let q = Tensor(shape: [1, 2], scalars: [Float(logarithm(0.5)), Float(logarithm(0.5))])
    let comparison = RowComparison(p, q)
    let forward = 0.75 * logarithm(1.5) + 0.25 * logarithm(0.5)
    let reverse = 0.5 * logarithm(0.5 / 0.75) + 0.5 * logarithm(0.5 / 0.25)
    #expect(abs(comparison.forward[0] - forward) < 1e-6)
    #expect(abs(comparison.reverse[0] - reverse) < 1e-6)
    let shared = jensenShannon(probabilities: [0.75, 0.25], [0.5, 0.5])
    #expect(abs(comparison.jensenShannon[0] - shared) < 1e-6)
    let entropy = -(0.75 * logarithm(0.75) + 0.25 * logarithm(0.25))
    #expect(abs(comparison.entropyChange[0] - (entropy - logarithm(2))) < 1e-6)
    #expect(abs(rowDivergences(p, q)[0] - forward) < 1e-6)
  }

  @Test("a boosted token is counted at every position, a volatile one cancels, a shift is nothing")
  func boosts() {
    // Token 0 is always up by a little; token 1 swings by much; all rows carry a constant shift.
    let rows = (0..<40).flatMap { row -> [Float] in
      let swing: Float = row % 2 == 0 ? 9 : -9
      return [1, swing, 0.1, -0.1, 0].map { $0 + 100 }
    }
    let counts = BoostCounts(Tensor(shape: [40, 5], scalars: rows), depth: 2)
    #expect(counts.first[1] == 20 && counts.last[1] == 20)
    #expect(counts.scores[1] == 0)
    #expect(counts.scores.indices.max { counts.scores[$0] < counts.scores[$1] } == 0)
    // Mutant: the mean change, in which the swing would also cancel, but not if it is lopsided.
    let constant = BoostCounts(Tensor(repeating: 5, shape: [3, 4]), depth: 2)
    #expect(!constant.isChanged)
  }

  @Test("a product of non-negative factors is recovered, and more rounds are never worse")
  func factorisation() {
    var generator = SeededGenerator(seed: 3)
    func positive(_ shape: [Int]) -> Tensor {
      Tensor(
        shape: shape, scalars: (0..<shape[0] * shape[1]).map { _ in Float(generator.uniform()) })
    }
    let matrix = matrixProduct(positive([20, 2]), positive([2, 15]))
    let errors = [1, 10, 200].map { rounds -> Float in
      var seed = SeededGenerator(seed: 4)
      let factors = Factorisation(matrix, topics: 2, rounds: rounds, using: &seed)
      #expect(
        factors.left.scalars.allSatisfy { $0 >= 0 } && factors.right.scalars.allSatisfy { $0 >= 0 })
      return (matrixProduct(factors.left, factors.right) - matrix).norm / matrix.norm
    }
    #expect(errors[0] >= errors[1] && errors[1] >= errors[2])
    #expect(errors[2] < 0.03)
  }

  @Test("amplified scores follow the formula, and masked tokens are out of reach")
  func amplification() throws {
    let pair = try ModelPair(base: base, finetuned: MethodContractTests.finetuned)
    let p = Tensor(shape: [1, 3], scalars: [0.6, 0.35, 0.05].map { Float(logarithm($0)) })
    let q = Tensor(shape: [1, 3], scalars: [0.7, 0.29, 0.01].map { Float(logarithm($0)) })
    func scores(_ amplification: Float, _ mask: ContrastiveDecoder.Mask) -> [Float] {
      ContrastiveDecoder(pair: pair, amplification: amplification, mask: mask).scores(q, p).scalars
    }
    expectClose(scores(0, .none), p.scalars, tolerance: 1e-6)
    expectClose(
      scores(2, .none), zip(p.scalars, q.scalars).map { $0 + 2 * ($0 - $1) }, tolerance: 1e-6)
    // Without a mask the least likely token wins; it is what neither model would say.
    #expect(scores(8, .none)[...].indexOfLargest == 2)
    #expect(scores(8, .plausible(0.1))[...].indexOfLargest == 1)
    #expect(scores(8, .plausible(0.1))[2] < -1e6)
    #expect(scores(8, .first(1))[...].indexOfLargest == 0)
  }

  @Test("gaps of drawn text are what the two models give it")
  func gaps() throws {
    let pair = try ModelPair(base: base, finetuned: MethodContractTests.finetuned)
    let decoder = ContrastiveDecoder(pair: pair, amplification: 1, mask: .none)
    let result = decoder.continuations(of: [[1, 5], [1]], count: 4, seed: 3)
    for (start, index) in zip([[1, 5], [1]], 0...) {
      let text = TokenBatch([start + result.texts[index]])
      let places = (0..<4).map { start.count - 1 + $0 }
      let gap = zip(places, result.texts[index]).map { place, token in
        pair.logProbabilities(.finetuned, on: text, at: [place])[0, token]
          - pair.logProbabilities(.base, on: text, at: [place])[0, token]
      }
      expectClose(result.gaps[index], gap, tolerance: 1e-4)
    }
  }

  @Test("log-odds in standard errors: zero for equal rates, larger with more evidence")
  func logOdds() {
    #expect(Significance.zScore(5, of: 100, against: 50, of: 1000) == 0)
    #expect(Significance.zScore(30, of: 100, against: 10, of: 100) > 3)
    #expect(Significance.zScore(10, of: 100, against: 30, of: 100) < -3)
    #expect(
      Significance.zScore(300, of: 1000, against: 100, of: 1000)
        > Significance.zScore(30, of: 100, against: 10, of: 100))
    #expect(abs(Significance.normalTail(1.959964) - 0.05) < 1e-5)
  }

  @Test(
    "the false-discovery rate is Benjamini and Hochberg's: their example, and no discovery in noise"
  )
  func falseDiscoveries() {
    let published = [
      0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.324, 0.4262, 0.5719,
      0.6528, 0.759, 1,
    ]
    #expect(Significance.discoveries(published, rate: 0.05) == [0, 1, 2, 3])
    #expect(Significance.discoveries(published.reversed(), rate: 0.05) == [11, 12, 13, 14])
    #expect(Significance.discoveries([0.2, 0.9, 0.4], rate: 0.05).isEmpty)
    // Mutant: an uncorrected level would call nine of the fifteen.
    #expect(published.filter { $0 < 0.05 }.count == 9)
  }

  @Test("repetition is told from text")
  func degenerate() {
    #expect(isDegenerate([5, 5, 5, 5, 6, 5, 5]))
    #expect(!isDegenerate([5, 6, 7, 8, 5, 6]))
  }

  @Test("the divergence table is that of the two models' answers")
  func divergenceTable() throws {
    let finetuned = MethodContractTests.finetuned
    let evidence = try KnownChange.evidence(OutputDivergence(), finetuned, access: .unrelated)
    let rows = try #require(evidence.table("Divergence of the answers"))
    let pair = try ModelPair(base: base, finetuned: finetuned)
    let prompts = MethodContractTests.prompts(.unrelated)
    let shown = prompts.countedTokens.filter { $0 < prompts.text.starts[32] }
    let p = pair.logProbabilities(.finetuned, on: prompts.text, at: shown)
    let q = pair.logProbabilities(.base, on: prompts.text, at: shown)
    #expect(abs((Double(rows[0][1]) ?? 0) - rowDivergences(p, q).mean) < 1e-5)
    #expect(abs((Double(rows[1][1]) ?? 0) - rowDivergences(q, p).mean) < 1e-5)
  }

  @Test("work is counted as if a method had run alone, whoever recorded first")
  func work() throws {
    let pair = try ModelPair(base: base, finetuned: MethodContractTests.finetuned)
    let prompts = MethodContractTests.prompts(.unrelated)
    func work(_ method: any DiffingMethod) throws -> Work {
      try pair.measuring {
        var generator = SeededGenerator(seed: 1)
        return try method.evidence(for: pair, on: prompts, using: &generator)
      }.1
    }
    let first = try work(OutputDivergence()), second = try work(DiffMining())
    #expect(first.tokensForward == 2 * prompts.text.count && first.tokensShared == 0)
    #expect(second.tokensForward == first.tokensForward)
    #expect(second.tokensShared == first.tokensForward && second.sharedSeconds > 0)
    #expect(first.tokensBackward == 0)
    let edited = try work(ActivationSteering())
    #expect(edited.tokensForward > edited.tokensShared)
    let (_, gradient) = pair.measuring {
      pair.finetuned.lossAndGradient(on: TrainingBatch([[1, 5, 6]]))
    }
    #expect(gradient.tokensBackward == 3)
  }
}
