import Scoring
import Testing

@Suite("Statistics of rankings")
struct RankingTests {
  @Test("average precision of known rankings")
  func precision() {
    #expect(Ranking.averagePrecision([true, true, false]) == 1)
    #expect(Ranking.averagePrecision([false, true]) == 0.5)
    #expect(abs(Ranking.averagePrecision([true, false, true]) - 5.0 / 6) < 1e-12)
    #expect(Ranking.averagePrecision([false]) == 0)
  }

  @Test("the area under the curve of known scores, ties counted half")
  func area() {
    #expect(Ranking.areaUnderCurve(positives: [2, 3], negatives: [0, 1]) == 1)
    #expect(Ranking.areaUnderCurve(positives: [0], negatives: [1]) == 0)
    #expect(Ranking.areaUnderCurve(positives: [1, 1], negatives: [1]) == 0.5)
    #expect(Ranking.areaUnderCurve(positives: [], negatives: [1]) == nil)
  }

  @Test("what was not claimed follows in an order that the seed decides")
  func completion() {
    let items = Array(0..<30)
    let ranking = Ranking.completed([7, 3], among: items, seed: 1)
    #expect(ranking.prefix(2) == [7, 3])
    #expect(ranking.sorted() == items)
    #expect(ranking == Ranking.completed([7, 3], among: items, seed: 1))
    #expect(ranking != Ranking.completed([7, 3], among: items, seed: 2))
  }
}
