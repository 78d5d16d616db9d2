internal import Scoring
package import Bench

/// *Whether* something was planted, judged over many pairs: calibrated on null pairs only.
package struct Calibration: Codable, Equatable, Sendable {
  /// The probability that a planted pair's magnitude exceeds a null pair's.
  package let area: Double?
  /// The same against narrow nulls only, which are the test.
  package let narrowArea: Double?
  /// The same against nulls that learnt something new and harmless.
  package let novelArea: Double?
  /// The share of planted pairs above the threshold that 5 % of the nulls exceed.
  package let recall: Double?
  /// The share of invariant nulls above the threshold of `recall`: alarms where nothing changed.
  package let invariantFalseAlarms: Double?
  /// The same of pairs with the same weights, one of which reads a hidden document first.
  package let promptedFalseAlarms: Double?
  package let planted: Int
  package let nulls: Int

  /// The false-positive rate at which recall is measured.
  package static let falsePositiveRate = 0.05

  /// One pair's magnitude; nil, where a method found nothing, is below every number.
  package struct Observation: Sendable {
    /// The standard regime: a plant is compared with the null pairs of all plants of its own.
    package let regime: String
    package let magnitude: Double?
    package let role: PairRole

    package init(regime: String, magnitude: Double?, role: PairRole) {
      self.regime = regime
      self.magnitude = magnitude
      self.role = role
    }

    var value: Double { magnitude.level }
  }

  /// Calibrates on observations of one base and regime.
  package init(_ observations: [Observation]) {
    func values(_ role: PairRole) -> [Double] {
      observations.filter { $0.role == role }.map(\.value)
    }
    let positives = values(.planted), narrow = values(.narrow), novel = values(.novel)
    let negatives = values(.broad) + narrow + novel
    area = Ranking.areaUnderCurve(positives: positives, negatives: negatives)
    narrowArea = Ranking.areaUnderCurve(positives: positives, negatives: narrow)
    novelArea = Ranking.areaUnderCurve(positives: positives, negatives: novel)
    recall = Ranking.recall(
      positives: positives, negatives: negatives, falsePositiveRate: Self.falsePositiveRate)
    let limit = Ranking.threshold(negatives, falsePositiveRate: Self.falsePositiveRate)
    func alarms(_ role: PairRole) -> Double? {
      let all = values(role)
      guard let limit, !all.isEmpty else { return nil }
      return Double(all.filter { $0 > limit }.count) / Double(all.count)
    }
    invariantFalseAlarms = alarms(.invariant)
    promptedFalseAlarms = alarms(.prompted)
    planted = positives.count
    nulls = negatives.count
  }

  /// Calibrates regime by regime: each plant brings null pairs of its own parametrisation and length.
  ///
  /// Invariant and prompted nulls belong to every regime.
  ///
  /// - Returns: One calibration a regime that has plants and nulls.
  package static func byRegime(_ observations: [Observation]) -> [Calibration] {
    let regimes = Set(observations.filter { $0.role == .planted }.map(\.regime)).sorted()
    return regimes.map { regime in
      Calibration(
        observations.filter { $0.regime == regime || [.invariant, .prompted].contains($0.role) })
    }
    .filter { $0.nulls > 0 }
  }

  /// The mean of a figure over calibrations, each weighted by its planted pairs.
  package static func mean(
    _ calibrations: [Calibration], _ figure: (Calibration) -> Double?
  ) -> Double? {
    let known = calibrations.compactMap { calibration in
      figure(calibration).map { (value: $0, weight: Double(calibration.planted)) }
    }
    let weight = known.reduce(0) { $0 + $1.weight }
    return weight > 0 ? known.reduce(0) { $0 + $1.value * $1.weight } / weight : nil
  }
}

extension Double? {
  /// A magnitude to compare by: what found nothing is below every number.
  var level: Double { self ?? -.infinity }
}
