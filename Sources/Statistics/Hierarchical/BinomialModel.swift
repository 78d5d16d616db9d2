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
  /// For each factor, the place of every cell's z in a point.
  private let places: [[Int]]
  let dimension: Int

  init(_ factors: [Factor], centre: Double, _ cells: [Cell]) {
    self.factors = factors
    self.centre = centre
    successes = cells.map { Double($0.successes) }
    trials = cells.map { Double($0.trials) }
    var start = 1 + factors.count, places: [[Int]] = []
    for (index, factor) in factors.enumerated() {
      places.append(cells.map { start + $0.levels[index] })
      start += factor.levels
    }
    self.places = places
    dimension = start
  }

  /// What a factor's level adds to η at a point.
  func effect(_ factor: Int, level: Int, at point: [Double]) -> Double {
    let start = 1 + factors.count + factors.prefix(factor).reduce(0) { $0 + $1.levels }
    return exp(point[1 + factor]) * point[start + level]
  }

  func logarithm(_ point: [Double], gradient: inout [Double]) -> Double {
    var sum = prior(point, &gradient)
    let spreads = factors.indices.map { exp(point[1 + $0]) }
    for cell in trials.indices {
      var eta = point[0]
      for factor in factors.indices { eta += spreads[factor] * point[places[factor][cell]] }
      // ln(1 + e^η) without overflow.
      let softplus = max(eta, 0) + log1p(exp(-abs(eta)))
      sum += successes[cell] * eta - trials[cell] * softplus
      let rest = successes[cell] - trials[cell] / (1 + exp(-eta))
      gradient[0] += rest
      for factor in factors.indices {
        let place = places[factor][cell]
        gradient[1 + factor] += rest * spreads[factor] * point[place]
        gradient[place] += rest * spreads[factor]
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
