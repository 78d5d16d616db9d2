import Diffing
import Methods
import TestSupport
import Tensors
import Testing
import Transformers

@Suite("Indices of similarity")
struct SimilarityIndicesTests: KnownChangeSuite {
  private func random(_ rows: Int, _ columns: Int, seed: UInt64) -> Tensor {
    var generator = SeededGenerator(seed: seed)
    return Tensor(
      shape: [rows, columns],
      scalars: (0..<rows).flatMap { _ in generator.direction(columns, norm: 1).scalars })
  }

  @Test("turned, scaled and moved activations are the same activations")
  func invariances() throws {
    let x = random(40, 3, seed: 1)
    let turn = Tensor(shape: [3, 3], scalars: [0, 1, 0, 0.6, 0, -0.8, 0.8, 0, 0.6])
    let y = matrixProduct(x, turn).scaled(by: 7).addingToRows(Tensor([5, -2, 1]), scaled: 1)
    let same = SimilarityIndices(x, y)
    #expect(abs(same.alignment - 1) < 1e-5)
    #expect(try same.rotationDistance() < 1e-5)
    #expect(same.mutualNeighbors(5) == 1)
    #expect(same.displacements.allSatisfy { abs($0) < 1e-5 })
  }

  @Test("CKA and rotation distance of axes of known variances")
  func closedForm() throws {
    // Columns of four tokens that are centred and orthogonal, of squares 4.
    let a: [Float] = [1, 1, -1, -1], b: [Float] = [1, -1, 1, -1], c: [Float] = [1, -1, -1, 1]
    func table(_ columns: [[Float]]) -> Tensor {
      Tensor(
        shape: [4, columns.count], scalars: (0..<4).flatMap { row in columns.map { $0[row] } })
    }
    // X = (a, b), Y = (a, c): XᵀY = diag(4, 0), XᵀX = YᵀY = 4 I, so CKA = 16 / 32.
    let half = SimilarityIndices(table([a, b]), table([a, c]))
    #expect(abs(half.alignment - 0.5) < 1e-6)
    // ‖XᵀY‖_* = 4, ‖X‖ ‖Y‖ = 8, so the distance is 2 − 1.
    #expect(abs(try half.rotationDistance() - 1) < 1e-6)
    // Nothing in common, and of another width.
    #expect(SimilarityIndices(table([a]), table([b, c])).alignment == 0)
    // X = (2a, b), Y = (a, b): 64 + 16 over √(256 + 16) √(16 + 16).
    let scaled = SimilarityIndices(table([a.map { 2 * $0 }, b]), table([a, b]))
    #expect(abs(scaled.alignment - 80 / (272.0 * 32).squareRoot()) < 1e-6)
    #expect(abs(try scaled.rotationDistance() - (2 - 2 * 12 / (20.0 * 8).squareRoot())) < 1e-6)
  }

  @Test("the token that moved among the others is named, and has lost its neighbours")
  func displacement() {
    let x = random(20, 8, seed: 3)
    var y = x
    var generator = SeededGenerator(seed: 9)
    let other = generator.direction(8, norm: 1)
    for column in 0..<8 { y[4, column] = other[column] }
    let moved = SimilarityIndices(x, y).displacements
    #expect(moved.indices.max { moved[$0] < moved[$1] } == 4)
    #expect(moved[4] > 0.3)
    let neighbors = SimilarityIndices(x, y).mutualNeighbors(3)
    #expect(neighbors < 1 && neighbors > 0.6)
  }

  @Test("a bias moves all tokens alike and is not seen where it is written; behind it it is")
  func bias() throws {
    let vector = KnownChange.direction(of: 7, norm: 3)
    let (wide, last) = KnownChange.biased(vector, layer: 2)
    let unseen = try KnownChange.evidence(
      RepresentationSimilarity(), last, base: wide, access: .unrelated)
    #expect(unseen.isEmpty)
    let (_, first) = KnownChange.biased(vector, layer: 0)
    let seen = try KnownChange.evidence(
      RepresentationSimilarity(), first, base: wide, access: .unrelated)
    #expect(try #require(seen.magnitude) > 1e-3)
    let sites = try #require(seen.sites)
    #expect(sites.first?.site.layer != 0)
  }
}

@Suite("The test of two samples")
struct MaximumMeanDiscrepancyTests: KnownChangeSuite {
  private func chance(
    _ base: [[[Int]]], _ finetuned: [[[Int]]], permutations: Int = 999, seed: UInt64 = 1
  ) -> MaximumMeanDiscrepancy {
    var generator = SeededGenerator(seed: seed)
    return MaximumMeanDiscrepancy(base, finetuned, permutations: permutations, using: &generator)
  }

  @Test("MMD² of constant answers is 2 where they differ, 0 where they do not, and counts places")
  func closedForm() {
    let a = Array(repeating: [1, 2], count: 4), b = Array(repeating: [3, 4], count: 4)
    let differ = chance([a, a], [b, a])
    #expect(differ.byPrompt == [2, 0] && differ.statistic == 1)
    // One of two places agrees: 1 + 1 − 2 · 1/2.
    #expect(chance([a], [Array(repeating: [1, 9], count: 4)]).byPrompt == [1])
    // An answer that goes on differs where the other has ended.
    #expect(chance([a], [Array(repeating: [1], count: 4)]).byPrompt == [1])
    // Unbiased: two answers of each, one pair alike: 0 + 1 − 2 · (1 + 1) / 4.
    #expect(chance([[[1], [2]]], [[[1], [1]]]).byPrompt == [0])
  }

  @Test(
    "the chance is exact: of eight answers, those of two models apart, 2 of 70 draws are as large")
  func exactChance() {
    let test = chance(
      [Array(repeating: [1], count: 4)], [Array(repeating: [2], count: 4)], permutations: 20_000)
    #expect(abs(test.chance - 2.0 / 70) < 0.004)
  }

  @Test("of models that answer alike one in twenty is rejected at five percent")
  func level() {
    var generator = SeededGenerator(seed: 4)
    func answers() -> [[[Int]]] {
      (0..<3).map { _ in (0..<6).map { _ in (0..<2).map { _ in Int(generator.next() % 3) } } }
    }
    let rejected = (0..<300).count { round in
      chance(answers(), answers(), permutations: 99, seed: UInt64(round)).chance <= 0.05
    }
    // 15 are expected, with a standard deviation of 3.8.
    #expect((4...28).contains(rejected))
  }

  @Test("a shift of every answer's first word is found from answers alone, and at its prompts")
  func shift() throws {
    let (wide, finetuned) = KnownChange.biased(KnownChange.direction(of: 7, norm: 12), layer: 2)
    let evidence = try KnownChange.evidence(
      TwoSampleTest(), finetuned, base: wide, access: .pool)
    #expect(try #require(evidence.magnitude) > 0.03)
    #expect(evidence.exhibits.first?.title.contains("p = 0.000999") == true)
  }
}
