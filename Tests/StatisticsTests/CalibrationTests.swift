import Scoring
import Bench
import Statistics
import TestSupport
import Testing

@Suite("Calibration on null pairs")
struct CalibrationTests {
  @Test("a detector that only sees narrow training raises false alarms")
  func calibration() {
    func observation(_ magnitude: Double?, null: Bool, narrow: Bool = false)
      -> Calibration.Observation
    {
      .init(magnitude: magnitude, role: !null ? .planted : narrow ? .narrow : .broad)
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

  /// The calibrations of trials that have a standard regime, a magnitude and a role.
  private func calibrations(_ trials: [(standard: String, magnitude: Double?, role: PairRole)])
    -> [Calibration]
  {
    CalibrationGroup.groups(
      trials.map {
        .sample(
          subject: $0.role == .planted ? "plant" : "null", standard: $0.standard, role: $0.role,
          magnitude: $0.magnitude)
      }
    ).map { Calibration($0) }
  }

  @Test("alarms where nothing changed are counted at the threshold of all null pairs")
  func invariantAlarms() {
    let calibrations = calibrations([
      ("fresh", 9, .planted), ("fresh", 1, .broad), ("fresh", 4, .narrow), ("any", nil, .invariant),
      ("any", 4, .invariant), ("any", 8, .invariant), ("any", 5, .prompted), ("any", 2, .prompted),
    ])
    #expect(calibrations.count == 1)
    #expect(calibrations[0].area == 1)
    #expect(calibrations[0].nulls == 2)
    #expect(abs((calibrations[0].invariantFalseAlarms ?? 0) - 1.0 / 3) < 1e-12)
    #expect(calibrations[0].promptedFalseAlarms == 0.5)
  }

  @Test("plants are compared with nulls of their own regime only")
  func regimes() {
    let calibrations = calibrations([
      ("fresh", 2, .planted), ("fresh", 1, .broad), ("settled", 20, .planted),
      ("settled", 10, .broad), ("settled", 30, .broad),
    ])
    #expect(calibrations.map(\.area) == [1, 0.5])
    #expect(Calibration.mean(calibrations, \.area) == 0.75)
  }

  @Test("the threshold is what one null in twenty exceeds, and recall what lies above it")
  func threshold() {
    func recall(_ planted: [Double], _ nulls: [Double]) -> Double? {
      Calibration(
        planted.map { .init(magnitude: $0, role: .planted) }
          + nulls.map { .init(magnitude: $0, role: .broad) }
      ).recall
    }
    #expect(recall([18.5, 30, 5], (0..<20).map(Double.init)) == 2.0 / 3)
    #expect(recall([19], [5, 20]) == 0)
    #expect(recall([], [1]) == nil && recall([1], []) == nil)
  }

  @Test("narrow and novel nulls are figures of their own, and both count among all")
  func kinds() {
    func observation(_ magnitude: Double, _ role: PairRole) -> Calibration.Observation {
      .init(magnitude: magnitude, role: role)
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
