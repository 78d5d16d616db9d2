internal import Bench
package import Diffing
internal import Organisms
internal import Scoring

/// The faintest, or the oldest, plant that a method still recovers in half of the cases.
///
/// A plant is recovered if its score is at the question's mark. The limit is the last step of a dial up to which, from the
/// strongest plant on, at least half of the plants that are installed are recovered, families counted alike. A plant that
/// is diluted until it is no plant is not counted.
package struct DetectionLimit: Sendable {
  /// What is turned.
  package enum Axis: String, CaseIterable, Sendable {
    /// Base documents to a planted one.
    case mix
    /// Steps, as a multiple of those to the organism's own mark.
    case age

    /// Where a planted trial stands; nil if another dial than this was turned in it.
    fileprivate func place(_ trial: Trial) -> Double? {
      switch (self, trial.planting.dial) {
      case (.mix, nil), (.mix, .mix): trial.planting.mix
      case (.age, nil): 1
      case (.age, .age(let factor)): factor
      default: nil
      }
    }
  }

  /// A step of a dial.
  package struct Step: Sendable {
    package let place: Double
    /// The share of the plants there that is recovered.
    package let share: Double
    package let plants: Int
  }

  /// From the strongest plants on: of a mix the least base text, of an age the youngest.
  package let steps: [Step]
  /// The last step up to which half is recovered; nil if it is not even at the first.
  package let limit: Double?
  /// The same over draws of families, organisms and bases: 95 % of them lie between; nil without two clusters.
  ///
  /// An end that is nil is before the first step.
  package let interval: (low: Double?, high: Double?)?

  /// - Parameters:
  ///   - method: One method's trials along the dials.
  ///   - question: What counts as recovered, by the question's mark.
  ///   - axis: What is turned.
  ///   - family: The plants of one family alone.
  ///   - drawCount: How often clusters are drawn; without a draw there is no interval.
  /// - Returns: Nil if the method does not answer, or the dial has fewer than two steps.
  package init?(
    _ method: MethodSummary, _ question: Question, along axis: Axis, family: String? = nil,
    drawCount: Int = Clusters.drawCount
  ) {
    guard let reading = method.reading(question), let mark = Ledger.marks[question] else {
      return nil
    }
    let trials = method.installed.filter { $0.family == family ?? $0.family }
      .filter { reading($0) != nil && axis.place($0) != nil }
    let places = Set(trials.compactMap(axis.place)).sorted()
    guard places.count > 1 else { return nil }
    let clusters = Clusters(trials)
    let figures = places.map { place in
      ClusteredMean(trials.filter { axis.place($0) == place }, in: clusters) { trial in
        reading(trial).map { $0 >= mark ? 1 : 0 }
      }
    }
    let shares = figures.map { $0.value(clusters.everything) ?? 0 }
    steps = zip(places, shares).map { place, share in
      Step(place: place, share: share, plants: trials.filter { axis.place($0) == place }.count)
    }
    limit = Self.last(shares).map { places[$0] }
    interval =
      clusters.witnesses < 2 || drawCount == 0
      ? nil
      : Self.interval(
        clusters.draws(drawCount).map { draw in
          Self.last(figures.map { $0.value(draw) })
        }, places)
  }

  /// The last index up to which all shares are a half or more; a step that a draw has nothing of ends nothing.
  private static func last(_ shares: [Double?]) -> Int? {
    var last: Int?
    for (index, share) in shares.enumerated() {
      guard let share else { continue }
      guard share >= 0.5 else { break }
      last = index
    }
    return last
  }

  private static func interval(_ limits: [Int?], _ places: [Double]) -> (
    low: Double?, high: Double?
  ) {
    let sorted = limits.map { $0 ?? -1 }.sorted()
    func end(_ share: Double) -> Double? {
      let index = sorted[Int((share * Double(sorted.count - 1)).rounded())]
      return index < 0 ? nil : places[index]
    }
    return (end(ConfidenceInterval.error / 2), end(1 - ConfidenceInterval.error / 2))
  }
}
