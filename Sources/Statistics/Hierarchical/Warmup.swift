internal import Foundation

/// What is decided before sampling.
package struct SamplerSettings: Equatable, Sendable {
  /// Iterations that adapt the sampler and are thrown away, and those that are kept.
  package var warmup, draws: Int
  /// The acceptance that the step size aims at: hierarchical models need short steps.
  package var acceptance = 0.95
  /// A path has at most two to this many steps.
  package var depthLimit = 10

  package init(warmup: Int = 1000, draws: Int = 1000) {
    self.warmup = warmup
    self.draws = draws
  }
}

/// The adaptation of step size and mass while a chain warms up (Stan's reference manual, §15.2).
///
/// A first part finds where the density is, windows that double estimate the coordinates' variances, and a last part
/// settles the step size.
struct Warmup {
  private let settings: SamplerSettings
  private var steps: DualAveraging
  private var variances: RunningVariances
  private var iteration = 0
  /// The iterations at which windows end.
  private let windowEnds: Set<Int>
  private let firstWindow: Int

  init(_ settings: SamplerSettings, dimension: Int, step: Double) {
    self.settings = settings
    steps = DualAveraging(step, acceptance: settings.acceptance)
    variances = RunningVariances(dimension)
    (firstWindow, windowEnds) = Self.windows(settings.warmup)
  }

  /// Of 500 iterations 75 come before the first window, of 25, and 50 behind the last one.
  private static func windows(_ count: Int) -> (first: Int, ends: Set<Int>) {
    let scale = min(1, Double(count) / 500)
    let first = Int(75 * scale), last = count - Int(50 * scale)
    var ends: Set<Int> = [], length = max(1, Int(25 * scale)), end = first
    while end < last {
      // A window that would leave less than twice its length goes on to the end.
      end = end + 3 * length > last ? last : end + length
      ends.insert(end)
      length *= 2
    }
    return (first, ends)
  }

  /// Takes in an iteration.
  ///
  /// - Returns: New inverse masses at the end of a window.
  mutating func record(_ point: [Double], acceptance: Double) -> [Double]? {
    steps.record(acceptance)
    iteration += 1
    guard iteration > firstWindow, iteration <= windowEnds.max() ?? 0 else { return nil }
    variances.record(point)
    guard windowEnds.contains(iteration) else { return nil }
    defer { variances = RunningVariances(point.count) }
    return variances.regularised
  }

  mutating func restart(step: Double) {
    steps = DualAveraging(step, acceptance: settings.acceptance)
  }

  var step: Double { exp(steps.logStep) }
  /// The average over the iterations since the last window.
  var finalStep: Double { exp(steps.average) }
}

/// Nesterov's dual averaging of the logarithm of a step size (Hoffman & Gelman, 2014, §3.2).
private struct DualAveraging {
  private let goal, centre: Double
  private var count = 0.0, error = 0.0
  private(set) var logStep: Double
  private(set) var average = 0.0

  init(_ step: Double, acceptance: Double) {
    goal = acceptance
    logStep = log(step)
    centre = log(10 * step)
  }

  mutating func record(_ acceptance: Double) {
    count += 1
    let weight = 1 / (count + 10)
    error = (1 - weight) * error + weight * (goal - acceptance)
    logStep = centre - count.squareRoot() / 0.05 * error
    let share = pow(count, -0.75)
    average = share * logStep + (1 - share) * average
  }
}

/// Variances of coordinates, point by point (Welford, 1962).
private struct RunningVariances {
  private var count = 0.0
  private var means, squares: [Double]

  init(_ dimension: Int) {
    means = [Double](repeating: 0, count: dimension)
    squares = means
  }

  mutating func record(_ point: [Double]) {
    count += 1
    for index in point.indices {
      let difference = point[index] - means[index]
      means[index] += difference / count
      squares[index] += difference * (point[index] - means[index])
    }
  }

  /// Drawn towards 0.001, the more the fewer points there were, as in Stan.
  var regularised: [Double] {
    squares.map { square in
      let variance = count > 1 ? square / (count - 1) : 1
      return count / (count + 5) * variance + 0.001 * 5 / (count + 5)
    }
  }
}
