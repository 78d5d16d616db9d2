import Dictionaries
import Diffing
import Tensors
import TestSupport
import Testing
import Transformers

@testable import Methods

@Suite("What latents are counted over and claim")
struct LatentClaimsTests {
  private static let base = MethodContractTests.base

  private func streams(_ rows: [[Int]], access: AccessLevel = .pool) throws -> CountedStreams {
    try CountedStreams(
      ModelPair(base: Self.base, finetuned: MethodContractTests.finetuned), prompts(rows, access),
      depth: 1, method: "test")
  }

  private func prompts(_ rows: [[Int]], _ access: AccessLevel = .pool) -> PromptSet {
    PromptSet(access: access, text: TokenBatch(rows), documentStart: 1, specialTokens: [0, 1])
  }

  @Test("tokens that start a document do not count, and a prompt is answered at its end")
  func counted() throws {
    let rows = [[1, 5, 6], [1], [7], [5, 6, 1]]
    let pool = try streams(rows)
    // What counts: 5 and 6 of the first row, 7 of the third, 6 of the fourth.
    #expect(pool.base.rows == 4 && pool.layer == Self.base.shape.layers - 1)
    #expect(pool.documents == [[0, 1], [2], [3]])
    #expect(pool.last == [1, nil, 2, 3])
    #expect(pool.answers == [1, 2])
    #expect(try streams(rows, access: .unrelated).answers == [0, 1, 2, 3])
    #expect(pool.sideBySide.row(2) == pool.base.row(2) + pool.finetuned.row(2))
  }

  @Test(
    "latents are ordered by size, those of rounding left out; prompts by the first one's growth")
  func order() throws {
    func codes(_ values: [Float]) -> SparseCodes {
      SparseCodes(latents: 3, rows: values.map { $0 > 0 ? [.init(latent: 2, value: $0)] : [] })
    }
    let width = Self.base.shape.width
    var directions = Tensor(shape: [3, width])
    for latent in 0..<3 { directions[latent, latent] = 1 }
    let rows = [[1, 5, 6], [1, 7], [1, 4]], streams = try streams(rows)
    let pair = try ModelPair(base: Self.base, finetuned: MethodContractTests.finetuned)
    func inputs(_ claims: LatentClaims) -> [Int]? {
      claims.evidence(reading: 1, of: pair, streams, on: prompts(rows)).inputs?.map(\.row)
    }
    let after = codes([9, 4, 1, 0]), before = codes([9, 3.9, 0, 0])
    let claims = LatentClaims(by: [0.1, 1e-9, 0.3], directions, after)
    #expect(claims.order == [2, 0])
    // At the ends of the rows the latent is at 4, 1 and 0; from 3.9 and 0 it grew most in the second.
    #expect(inputs(claims) == [0, 1])
    #expect(inputs(LatentClaims(order: [2], directions, after, from: before)) == [1, 0])
    #expect(inputs(LatentClaims(order: [], directions, after)) == nil)
    #expect(after.rootMeanSquares(over: [0, 2]) == [0, 0, Float(41).squareRoot()])
    #expect(after.activeShares(over: [0, 3]) == [0, 0, 0.5])
  }
}
