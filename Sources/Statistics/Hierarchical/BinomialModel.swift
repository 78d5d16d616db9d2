internal import Foundation

/// A hierarchical binomial model after HiBayES (Luettgau et al., 2025): how often something succeeds, by factors whose
/// levels are drawn together.
///
///     successes ~ Binomial(trials, 1 / (1 + e^−η)),  η = μ + Σ_j σ_j z_j[level of the cell]
///     μ ~ Normal(0, s₀),  σ_j ~ HalfNormal(s_j),  z ~ Normal(0, 1)
///
/// Levels stand as z apart from their spread (not centred), so that little data makes no funnel. A point holds μ, then
/// every ln σ, then every z, factor by factor; the density has e^(ln σ) for the change of variable.
struct BinomialModel: Density {
  /// What cells differ in.
  struct Factor: Sendable {
    let levels: Int
    /// The spread of the half-normal prior of σ.
    let scale: Double
  }

  /// A count of successes under one combination of levels.
  struct Cell: Sendable {
    /// A level of every factor.
    let levels: [Int]
    let successes, trials: Int
  }

  let factors: [Factor]
  /// The spread of the prior of μ.
  let centre: Double
  private let successes, trials: [Double]
  /// The places of a cell's z in a point, factor by factor, cell by cell.
  private let places: [Int]
  /// Where each factor's z begin in a point.
  private let starts: [Int]
  let dimension: Int

  init(_ factors: [Factor], centre: Double, _ cells: [Cell]) {
    self.factors = factors
    self.centre = centre
    successes = cells.map { Double($0.successes) }
    trials = cells.map { Double($0.trials) }
    var starts: [Int] = [], next = 1 + factors.count
    for factor in factors {
      starts.append(next)
      next += factor.levels
    }
    places = cells.flatMap { cell in zip(starts, cell.levels).map(+) }
    self.starts = starts
    dimension = next
  }

  /// What a factor's level adds to η at a point.
  func effect(_ factor: Int, level: Int, at point: [Double]) -> Double {
    exp(point[1 + factor]) * point[starts[factor] + level]
  }

  func logarithm(_ point: [Double], gradient: inout [Double]) -> Double {
    var sum = prior(point, &gradient)
    let spreads = factors.indices.map { exp(point[1 + $0]) }
    let count = spreads.count
    for cell in trials.indices {
      var eta = point[0]
      for factor in 0..<count { eta += spreads[factor] * point[places[cell * count + factor]] }
      // Of e^−|η| come ln(1 + e^η) and the rate, neither of which then overflows.
      let small = exp(-abs(eta))
      sum += successes[cell] * eta - trials[cell] * (max(eta, 0) + log1p(small))
      let rest = successes[cell] - trials[cell] * (eta < 0 ? small : 1) / (1 + small)
      gradient[0] += rest
      for factor in 0..<count {
        let place = places[cell * count + factor], slope = rest * spreads[factor]
        gradient[1 + factor] += slope * point[place]
        gradient[place] += slope
      }
    }
    return sum
  }

  /// The prior's part; the gradient is that of the prior behind it.
  private func prior(_ point: [Double], _ gradient: inout [Double]) -> Double {
    var sum = -point[0] * point[0] / (2 * centre * centre)
    gradient[0] = -point[0] / (centre * centre)
    for (index, factor) in factors.enumerated() {
      let square = exp(2 * point[1 + index]) / (factor.scale * factor.scale)
      sum += point[1 + index] - square / 2
      gradient[1 + index] = 1 - square
    }
    for place in 1 + factors.count..<dimension {
      sum -= point[place] * point[place] / 2
      gradient[place] = -point[place]
    }
    return sum
  }
}
