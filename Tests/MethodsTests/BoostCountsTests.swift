import Diffing
import Methods
import Tensors
import TestSupport
import Testing
import Transformers

@Suite("Counts of boosts")
struct BoostCountsTests: KnownChangeSuite {
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
}
