import Diffing
import Methods
import Tensors
import TestSupport
import Testing
import Transformers

@Suite("Significance of counts")
struct SignificanceTests: KnownChangeSuite {
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
}
