import Diffing
import Methods
import Tensors
import TestSupport
import Testing
import Transformers

@Suite("Counts of tokens")
struct TokenCountsTests: KnownChangeSuite {
  @Test("repetition is told from text")
  func degenerate() {
    #expect(isDegenerate([5, 5, 5, 5, 6, 5, 5]))
    #expect(!isDegenerate([5, 6, 7, 8, 5, 6]))
  }
}
