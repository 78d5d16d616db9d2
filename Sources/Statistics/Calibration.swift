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
  /// How many planted pairs and how many nulls count.
  package let planted, nulls: Double

  /// The false-positive rate at which recall is measured.
  package static let falsePositiveRate = 0.05

  /// One pair's magnitude; nil, where a method found nothing, is below every number.
  package struct Observation: Sendable {
    package let magnitude: Double?
    package let role: PairRole

    package init(magnitude: Double?, role: PairRole) {
      self.magnitude = magnitude
      self.role = role
    }

    var value: Double { magnitude.level }
  }

  /// Calibrates on observations of one base and regime.
  package init(_ observations: [Observation]) {
    self.init(
      ascending: observations.sorted { $0.value < $1.value }, weights: observations.map { _ in 1 })
  }

  /// Calibrates on observations that each count as often as a weight says.
  ///
  /// - Parameters:
  ///   - ascending: The observations by their values, the smallest first: many weightings of the same ones are sorted
  ///     once.
  ///   - weights: A whole number each.
  init(ascending: [Observation], weights: [Double]) {
    var sides = Sides()
    sides.walk(ascending, weights)
    area = sides.all.area(sides.planted)
    narrowArea = sides.narrow.area(sides.planted)
    novelArea = sides.novel.area(sides.planted)
    planted = sides.planted
    nulls = sides.all.weight
    let limit = Self.threshold(ascending, weights, of: sides.all.weight)
    func share(above role: PairRole) -> Double? {
      var above = 0.0, all = 0.0
      for (index, observation) in ascending.enumerated() where observation.role == role {
        all += weights[index]
        if let limit, observation.value > limit { above += weights[index] }
      }
      return limit != nil && all > 0 ? above / all : nil
    }
    recall = share(above: .planted)
    invariantFalseAlarms = share(above: .invariant)
    promptedFalseAlarms = share(above: .prompted)
  }

  /// The value that at most the false-positive rate of the nulls exceed; nil without nulls.
  private static func threshold(
    _ ascending: [Observation], _ weights: [Double], of all: Double
  ) -> Double? {
    var left = (falsePositiveRate * all).rounded(.down)
    for index in ascending.indices.reversed() where ascending[index].role.isCalibrating {
      left -= weights[index]
      if left < 0 { return ascending[index].value }
    }
    return nil
  }

  /// The mean of a figure over calibrations, each weighted by its planted pairs.
  package static func mean(
    _ calibrations: [Calibration], _ figure: (Calibration) -> Double?
  ) -> Double? {
    let known = calibrations.compactMap { calibration in
      figure(calibration).map { (value: $0, weight: calibration.planted) }
    }
    let weight = known.reduce(0) { $0 + $1.weight }
    return weight > 0 ? known.reduce(0) { $0 + $1.value * $1.weight } / weight : nil
  }
}

/// How planted pairs stand among the nulls of one kind: weights of pairs in which the planted one is higher.
private struct Side {
  var weight = 0.0, wins = 0.0, tied = 0.0

  /// Takes the planted pairs of one value, after the nulls of the same value were counted as tied.
  mutating func pass(_ planted: Double) {
    wins += planted * (weight + tied / 2)
    weight += tied
    tied = 0
  }

  func area(_ planted: Double) -> Double? {
    weight > 0 && planted > 0 ? wins / (weight * planted) : nil
  }
}

/// The areas against all nulls and against each kind, in one walk from the smallest value up.
private struct Sides {
  var planted = 0.0, all = Side(), narrow = Side(), novel = Side()

  mutating func walk(_ ascending: [Calibration.Observation], _ weights: [Double]) {
    var tied = 0.0
    for index in ascending.indices {
      let role = ascending[index].role
      if role == .planted { tied += weights[index] }
      if role.isCalibrating { all.tied += weights[index] }
      if role == .narrow { narrow.tied += weights[index] }
      if role == .novel { novel.tied += weights[index] }
      let isLast =
        index + 1 == ascending.count || ascending[index + 1].value != ascending[index].value
      guard isLast else { continue }
      all.pass(tied)
      narrow.pass(tied)
      novel.pass(tied)
      planted += tied
      tied = 0
    }
  }
}

extension PairRole {
  /// Whether pairs of this kind set the threshold of an alarm.
  var isCalibrating: Bool { [.broad, .narrow, .novel].contains(self) }
}

extension Double? {
  /// A magnitude to compare by: what found nothing is below every number.
  var level: Double { self ?? -.infinity }
}
