internal import Foundation

/// A point with a momentum.
struct PathState: Sendable {
  var point, momentum, gradient: [Double]
  var logDensity: Double

  /// Kinetic energy less the logarithm of the density; infinite where that is no number.
  func energy(_ inverseMass: [Double]) -> Double {
    var kinetic = 0.0
    for index in momentum.indices {
      kinetic += momentum[index] * momentum[index] * inverseMass[index]
    }
    let energy = kinetic / 2 - logDensity
    return energy.isNaN ? .infinity : energy
  }

  /// One leapfrog step.
  mutating func leap(_ step: Double, _ inverseMass: [Double], _ density: some Density) {
    for index in point.indices {
      momentum[index] += step / 2 * gradient[index]
      point[index] += step * inverseMass[index] * momentum[index]
    }
    logDensity = density.logarithm(point, gradient: &gradient)
    for index in point.indices { momentum[index] += step / 2 * gradient[index] }
  }
}

/// A part of a path: the momenta at its ends, their sum along it, its weight, and a state drawn from it by weight.
struct NoUTurnPath {
  /// At the end that is earlier in time, and at the later one.
  private var early, late: [Double]
  private var sum: [Double]
  /// The logarithm of the sum of e to the energy that each state has lost since the start.
  private(set) var logWeight: Double
  var sample: PathState

  init(_ state: PathState, logWeight: Double) {
    early = state.momentum
    late = state.momentum
    sum = state.momentum
    self.logWeight = logWeight
    sample = state
  }

  /// Takes in a part that goes on from one end; the sample stays.
  ///
  /// - Parameters:
  ///   - other: As long a part.
  ///   - isForward: Whether it lies behind the later end.
  /// - Returns: Whether the path has not turned back: neither end moves against the sum of all momenta, and neither
  ///   half against its own sum with the first step of the other.
  mutating func join(_ other: NoUTurnPath, isForward: Bool, _ inverseMass: [Double]) -> Bool {
    let (first, second) = isForward ? (self, other) : (other, self)
    func goesOn(_ a: [Double], _ b: [Double], along x: [Double], and y: [Double]) -> Bool {
      Momenta.product(a, x, plus: y, inverseMass) > 0
        && Momenta.product(b, x, plus: y, inverseMass) > 0
    }
    let isStraight =
      goesOn(first.early, second.late, along: first.sum, and: second.sum)
      && goesOn(first.early, second.early, along: first.sum, and: second.early)
      && goesOn(first.late, second.late, along: second.sum, and: first.late)
    for index in sum.indices { sum[index] += other.sum[index] }
    early = first.early
    late = second.late
    logWeight = LogSum.of(first.logWeight, second.logWeight)
    return isStraight
  }
}

private enum Momenta {
  /// a · M⁻¹ (x + y), of which the sum is nowhere stored.
  static func product(
    _ a: [Double], _ x: [Double], plus y: [Double], _ inverseMass: [Double]
  ) -> Double {
    var product = 0.0
    for index in a.indices { product += a[index] * (x[index] + y[index]) * inverseMass[index] }
    return product
  }
}

/// Sums of numbers that are known by their logarithms.
enum LogSum {
  static func of(_ a: Double, _ b: Double) -> Double {
    let high = max(a, b)
    return high.isFinite ? high + log1p(exp(min(a, b) - high)) : high
  }
}
