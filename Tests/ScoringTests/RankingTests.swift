import Scoring
import Testing

@Suite("Statistics of rankings")
struct RankingTests {
  @Test("average precision of known rankings")
  func precision() {
    #expect(averagePrecision([true, true, false]) == 1)
    #expect(averagePrecision([false, true]) == 0.5)
    #expect(abs(averagePrecision([true, false, true]) - 5.0 / 6) < 1e-12)
    #expect(averagePrecision([false]) == 0)
  }

  @Test("the area under the curve of known scores, ties counted half")
  func area() {
    #expect(areaUnderCurve(positives: [2, 3], negatives: [0, 1]) == 1)
    #expect(areaUnderCurve(positives: [0], negatives: [1]) == 0)
    #expect(areaUnderCurve(positives: [1, 1], negatives: [1]) == 0.5)
    #expect(areaUnderCurve(positives: [], negatives: [1]) == nil)
  }

  @Test("recall at a false-positive rate uses the nulls alone")
  func recallAtRate() {
    let nulls = (0..<20).map(Double.init)
    // One null of twenty may be above the threshold.
    #expect(recall(positives: [18.5, 30, 5], negatives: nulls, falsePositiveRate: 0.05) == 2.0 / 3)
    #expect(recall(positives: [19], negatives: [5, 20], falsePositiveRate: 0.05) == 0)
  }

  @Test("what was not claimed follows in an order that the seed decides")
  func completion() {
    let items = Array(0..<30)
    let ranking = completed([7, 3], among: items, seed: 1)
    #expect(ranking.prefix(2) == [7, 3])
    #expect(ranking.sorted() == items)
    #expect(ranking == completed([7, 3], among: items, seed: 1))
    #expect(ranking != completed([7, 3], among: items, seed: 2))
  }

  @Test("a detector that only sees narrow training raises false alarms")
  func calibration() {
    func observation(_ magnitude: Double?, null: Bool, narrow: Bool = false)
      -> Calibration.Observation
    {
      .init(
        regime: "fresh", magnitude: magnitude, role: !null ? .planted : narrow ? .narrow : .broad)
    }
    let broad = [observation(nil, null: true), observation(1, null: true)]
    let narrow = [
      observation(5, null: true, narrow: true), observation(6, null: true, narrow: true),
    ]
    let calibration = Calibration([observation(5.5, null: false)] + broad + narrow)
    #expect(calibration.area == 0.75)
    #expect(calibration.narrowArea == 0.5)
    #expect(calibration.recall == 0)
    let rates = FalsePositives([broad + narrow, broad + [observation(0, null: true, narrow: true)]])
    #expect(rates.broad == 0)
    #expect(rates.narrow == 2.0 / 3)
    // Set on itself, the rate on broad nulls would say nothing.
    #expect(FalsePositives([broad + narrow]).broad == nil)
    #expect(FalsePositives([broad + narrow]).narrow == 1)
  }

  @Test("alarms where nothing changed are counted at the threshold of all null pairs")
  func invariantAlarms() {
    func observation(_ magnitude: Double?, _ role: PairRole) -> Calibration.Observation {
      .init(regime: role == .invariant ? "any" : "fresh", magnitude: magnitude, role: role)
    }
    let calibrations = Calibration.byRegime([
      observation(9, .planted), observation(1, .broad), observation(4, .narrow),
      observation(nil, .invariant), observation(4, .invariant), observation(8, .invariant),
    ])
    #expect(calibrations.count == 1)
    #expect(calibrations[0].area == 1)
    #expect(calibrations[0].nulls == 2)
    #expect(abs((calibrations[0].invariantFalseAlarms ?? 0) - 1.0 / 3) < 1e-12)
  }

  @Test("plants are compared with nulls of their own regime only")
  func regimes() {
    func observation(_ regime: String, _ magnitude: Double, null: Bool) -> Calibration.Observation {
      .init(regime: regime, magnitude: magnitude, role: null ? .broad : .planted)
    }
    let calibrations = Calibration.byRegime([
      observation("fresh", 2, null: false), observation("fresh", 1, null: true),
      observation("settled", 20, null: false), observation("settled", 10, null: true),
      observation("settled", 30, null: true),
    ])
    #expect(calibrations.map(\.area) == [1, 0.5])
    #expect(Calibration.mean(calibrations, \.area) == 0.75)
  }

  @Test("average precision by chance is the mean over all orders", arguments: 1...4)
  func averagePrecisionOfChance(relevant: Int) {
    let count = 5
    var sum = 0.0, orders = 0
    for mask in 0..<(1 << count) where mask.nonzeroBitCount == relevant {
      sum += averagePrecision((0..<count).map { mask >> $0 & 1 == 1 })
      orders += 1
    }
    #expect(abs(averagePrecisionByChance(relevant, of: count) - sum / Double(orders)) < 1e-12)
  }
}
