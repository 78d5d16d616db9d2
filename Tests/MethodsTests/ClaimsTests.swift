import Diffing
import Methods
import Tensors
import TestSupport
import Testing
import Transformers

@Suite("Claims")
struct ClaimsTests: KnownChangeSuite {
  @Test("rankings merge by turns, signs apart")
  func roundRobin() {
    func claims(_ tokens: [Int], _ sign: Int) -> [TokenClaim] {
      tokens.map { TokenClaim(token: $0, score: Float(sign), sign: sign) }
    }
    let merged = TokenClaim.roundRobin([
      claims([1, 2, 3], 1) + claims([9], -1), claims([1, 4], 1) + claims([8], -1),
    ])
    #expect(merged.filter { $0.sign == 1 }.map(\.token) == [1, 4, 2, 3])
    #expect(merged.filter { $0.sign == -1 }.map(\.token) == [9, 8])
  }

  @Test("equal scores are ranked in an order of no meaning, the same each time")
  func ties() {
    func tokens() -> [Int] {
      TokenClaim.ranking(Array(repeating: 1, count: 50), excluding: [7]).map(\.token)
    }
    let ids = (0..<50).filter { $0 != 7 }
    #expect(tokens().sorted() == ids && tokens() == tokens())
    // Neither up nor down by ids: a claim's place says nothing about its class.
    #expect(tokens() != ids && tokens() != ids.reversed())
  }
}
