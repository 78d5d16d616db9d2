package import Bench
package import Diffing
internal import Tensors

/// What an investigator's verdicts are worth, method by method and number of questions.
///
/// A verdict says that something was planted if so much strength is rare where nothing was: its chance, among the null pairs of
/// other families and the pair itself, is at most the level (`ConformalChance`).
package struct GameSummary: Sendable {
  /// The verdicts of an arm.
  package struct Row: Sendable {
    package let arm: GameArm
    /// Planted and null pairs.
    package let plants, nulls: Int
    /// How many of each are said to hold something.
    package let found, wrong: Int
    /// Of the plants that are found, how many times each question was answered right, and wrong.
    package let right, mistaken: [Question: Int]
    /// Of all plants, how many times the hypothesis would have been right, said or not.
    package let known: Int
    /// Points of a plant and a null pair together: the mean over plants, less the share of null pairs that are said
    /// to hold something.
    package let points: Double
  }

  package let level: Double
  package let rows: [Row]
  /// The least chance that every verdict can have.
  package let leastChance: Double

  /// - Parameters:
  ///   - cases: What was found.
  ///   - level: The largest chance that a verdict may have.
  package init(_ cases: [Game.Case], level: Double = 0.1) {
    self.level = level
    let groups = Dictionary(grouping: cases, by: \.arm)
    rows = groups.map { Row($0, $1, level: level) }.sorted { $0.order < $1.order }
    leastChance = groups.values.compactMap(Self.leastChance).max() ?? 0
  }

  /// The least chance that every pair of an arm can have; nil where chances do not decide, or no null pair is asked.
  private static func leastChance(_ cases: [Game.Case]) -> Double? {
    guard cases.contains(where: { $0.role != .planted }), cases.allSatisfy({ $0.asserts == nil })
    else { return nil }
    return cases.map { 1 / Double(1 + cases.nulls(beside: $0).count) }.max()
  }

  /// Whether an arm says of a pair that something was planted.
  static func asserts(_ own: Game.Case, among cases: [Game.Case], level: Double) -> Bool {
    own.asserts ?? own.arm.asserts(own.strength, among: cases.nulls(beside: own), level: level)
  }
}

extension GameSummary.Row {
  init(_ arm: GameArm, _ cases: [Game.Case], level: Double) {
    self.arm = arm
    let asserted = cases.filter { GameSummary.asserts($0, among: cases, level: level) }
    let planted = cases.filter { $0.role == .planted }
    let found = asserted.filter { $0.role == .planted }
    plants = planted.count
    nulls = cases.count - planted.count
    self.found = found.count
    wrong = asserted.count - found.count
    right = Self.counts(of: 1, in: found)
    mistaken = Self.counts(of: -1, in: found)
    known = planted.count { $0.points[.what] == 1 }
    points =
      Self.mean(found.map(\.points.sum), of: plants)
      - Self.mean(asserted.map { $0.role == .planted ? 0 : 1 }, of: nulls)
  }

  private static func counts(of points: Int, in cases: [Game.Case]) -> [Question: Int] {
    Dictionary(
      uniqueKeysWithValues: Question.allCases.map { question in
        (question, cases.count { $0.points[question] == points })
      })
  }

  private static func mean(_ points: [Int], of count: Int) -> Double {
    count == 0 ? 0 : Double(points.reduce(0, +)) / Double(count)
  }

  fileprivate var order: (Int, String, Int) {
    let place =
      switch arm.source {
      case .probabilities: 0
      case .samples: 1
      case .allMethods: 2
      case .agent: 5
      case .methods(let rows): rows.count > 1 ? 3 : 4
      }
    return (place, arm.source.description, arm.budget)
  }
}
