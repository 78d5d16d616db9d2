internal import Foundation
internal import Tensors

/// What one chain drew.
struct Chain: Sendable {
  private(set) var points: [[Double]] = []
  private(set) var energies: [Double] = []
  private(set) var divergences = 0

  mutating func record(_ point: [Double], energy: Double, isDivergent: Bool) {
    points.append(point)
    energies.append(energy)
    if isDivergent { divergences += 1 }
  }

  /// The Bayesian fraction of missing information (Betancourt, 2016): below 0.2 the energy moves too slowly.
  var missingInformation: Double {
    let mean = energies.mean
    let steps = zip(energies.dropFirst(), energies).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
    let spread = energies.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    return spread > 0 ? steps / spread : 0
  }
}

/// How far chains can be trusted.
package struct ChainDiagnostics: Equatable, Sendable {
  /// The largest split r-hat, and the least effective sample size, over what was looked at.
  package let rHat, sampleSize: Double
  package let divergences: Int
  package let missingInformation: Double

  /// r-hat below 1.01, 400 effective draws, no divergence, BFMI above 0.2.
  package var isSound: Bool {
    rHat < 1.01 && sampleSize >= 400 && divergences == 0 && missingInformation > 0.2
  }

  /// - Parameters:
  ///   - chains: All of equal length.
  ///   - quantities: A number of each draw, chain by chain, for every quantity that is looked at.
  init(_ chains: [Chain], quantities: [[[Double]]]) {
    let mixing = quantities.map(Mixing.init)
    rHat = mixing.map(\.rHat).max() ?? .infinity
    sampleSize = mixing.map(\.sampleSize).min() ?? 0
    divergences = chains.reduce(0) { $0 + $1.divergences }
    missingInformation = chains.map(\.missingInformation).min() ?? 0
  }
}

/// How well chains mix in one quantity (Gelman et al., Bayesian Data Analysis, 3rd edition, §11.4 and §11.5).
struct Mixing {
  /// The square root of the variance over all halves of chains by that within them: 1 if all saw the same.
  let rHat: Double
  /// As many independent draws would say as much of the mean.
  let sampleSize: Double

  /// - Parameter chains: The quantity's draws, chain by chain; each is split into halves.
  init(_ chains: [[Double]]) {
    let halves = chains.flatMap { chain in
      [Array(chain.prefix(chain.count / 2)), Array(chain.suffix(chain.count / 2))]
    }
    let length = Double(halves[0].count), means = halves.map(\.mean)
    let within = halves.map { $0.standardDeviation * $0.standardDeviation }.mean
    let between = means.standardDeviation * means.standardDeviation
    let total = within * (length - 1) / length + between
    guard within > 0 else {
      rHat = between > 0 ? .infinity : 1
      sampleSize = Double(halves.count) * length
      return
    }
    rHat = (total / within).squareRoot()
    sampleSize = Self.sampleSize(halves, total: total)
  }

  /// m n / (−1 + 2 Σ P), P the sum of the autocorrelations at lags 2t and 2t + 1, as long as it is positive, and never more
  /// than the one before (Geyer, 1992).
  private static func sampleSize(_ halves: [[Double]], total: Double) -> Double {
    let count = halves[0].count
    var sum = 0.0, last = Double.infinity, lag = 0
    while lag + 1 < count {
      let pair =
        autocorrelation(halves, lag, total: total) + autocorrelation(halves, lag + 1, total: total)
      guard pair > 0 else { break }
      last = min(last, pair)
      sum += last
      lag += 2
    }
    let all = Double(halves.count * count)
    return all / max(2 * sum - 1, 1 / log10(all))
  }

  /// 1 − V / 2σ², V the mean square of what a lag changes.
  private static func autocorrelation(_ halves: [[Double]], _ lag: Int, total: Double) -> Double {
    let changes = halves.map { half in
      var sum = 0.0
      for place in lag..<half.count {
        sum += (half[place] - half[place - lag]) * (half[place] - half[place - lag])
      }
      return sum / Double(half.count - lag)
    }
    return 1 - changes.mean / (2 * total)
  }
}
