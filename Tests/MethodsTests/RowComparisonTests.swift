import Diffing
import Methods
import Tensors
import TestSupport
import Testing
import Transformers

@Suite("Comparisons of rows")
struct RowComparisonTests: KnownChangeSuite {
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

  @Test("divergences are zero for equal distributions, and Jensen-Shannon is symmetric and bounded")
  func divergences() {
    let p = Tensor(shape: [1, 3], scalars: [2, 0, -3]).logProbabilities
    let q = Tensor(shape: [1, 3], scalars: [-9, 30, 0]).logProbabilities
    #expect(abs(divergence(p.row(0), p.row(0))) < 1e-9)
    #expect(divergence(p.row(0), q.row(0)) > 0)
    let a = p.row(0).map(exponential), b = q.row(0).map(exponential)
    let forward = jensenShannon(probabilities: a, b), back = jensenShannon(probabilities: b, a)
    #expect(abs(forward - back) < 1e-6)
    #expect(forward > 0 && forward < 0.6932)
  }
}
