import Scoring
import Bench
import Statistics
import Testing

@Suite("Calibration on null pairs")
struct CalibrationTests {
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
  }

  @Test("alarms where nothing changed are counted at the threshold of all null pairs")
  func invariantAlarms() {
    func observation(_ magnitude: Double?, _ role: PairRole) -> Calibration.Observation {
      .init(
        regime: [.invariant, .prompted].contains(role) ? "any" : "fresh", magnitude: magnitude,
        role: role)
    }
    let calibrations = Calibration.byRegime([
      observation(9, .planted), observation(1, .broad), observation(4, .narrow),
      observation(nil, .invariant), observation(4, .invariant), observation(8, .invariant),
      observation(5, .prompted), observation(2, .prompted),
    ])
    #expect(calibrations.count == 1)
    #expect(calibrations[0].area == 1)
    #expect(calibrations[0].nulls == 2)
    #expect(abs((calibrations[0].invariantFalseAlarms ?? 0) - 1.0 / 3) < 1e-12)
    #expect(calibrations[0].promptedFalseAlarms == 0.5)
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

  @Test("narrow and novel nulls are figures of their own, and both count among all")
  func kinds() {
    func observation(_ magnitude: Double, _ role: PairRole) -> Calibration.Observation {
      .init(regime: "fresh", magnitude: magnitude, role: role)
    }
    let calibration = Calibration([
      observation(2, .planted), observation(1, .broad), observation(1, .narrow),
      observation(3, .novel), observation(3, .novel),
    ])
    #expect(calibration.narrowArea == 1 && calibration.novelArea == 0)
    #expect(calibration.area == 0.5 && calibration.nulls == 4)
  }

  @Test("average precision by chance is the mean over all orders", arguments: 1...4)
  func averagePrecisionOfChance(relevant: Int) {
    let count = 5
    var sum = 0.0, orders = 0
    for mask in 0..<(1 << count) where mask.nonzeroBitCount == relevant {
      sum += Ranking.averagePrecision((0..<count).map { mask >> $0 & 1 == 1 })
      orders += 1
    }
    #expect(
      abs(Ranking.averagePrecisionByChance(relevant, of: count) - sum / Double(orders)) < 1e-12)
  }
}
