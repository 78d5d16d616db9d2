internal import Foundation

/// Student's t distribution.
enum StudentT {
  /// The probability of a value beyond ±t.
  ///
  /// - Returns: 1 without a degree of freedom: of one witness nothing can be said.
  static func twoSided(_ t: Double, freedom: Int) -> Double {
    guard freedom > 0 else { return 1 }
    guard t.isFinite else { return 0 }
    let freedom = Double(freedom)
    return IncompleteBeta.regularised(freedom / (freedom + t * t), freedom / 2, 0.5)
  }

  /// The t that a share of the values lies beyond, on both sides together; infinite without a degree of freedom.
  static func limit(twoSided share: Double, freedom: Int) -> Double {
    guard freedom > 0 else { return .infinity }
    var low = 0.0, high = 1.0
    while twoSided(high, freedom: freedom) > share { high *= 2 }
    for _ in 0..<80 {
      let middle = (low + high) / 2
      if twoSided(middle, freedom: freedom) > share { low = middle } else { high = middle }
    }
    return high
  }

  /// The probability that a standard normal number is below a value.
  static func normal(below z: Double) -> Double { erfc(-z / 2.0.squareRoot()) / 2 }
}

/// The regularised incomplete beta function, by Lentz's continued fraction (Numerical Recipes, §6.4).
private enum IncompleteBeta {
  static func regularised(_ x: Double, _ a: Double, _ b: Double) -> Double {
    guard x > 0 else { return 0 }
    guard x < 1 else { return 1 }
    let front = exp(logGamma(a + b) - logGamma(a) - logGamma(b) + a * log(x) + b * log1p(-x))
    return x < (a + 1) / (a + b + 2)
      ? front * fraction(x, a, b) / a : 1 - front * fraction(1 - x, b, a) / b
  }

  /// ln Γ by Lanczos' series (g = 7, nine terms): `lgamma` is not safe to call from two threads everywhere.
  static func logGamma(_ x: Double) -> Double {
    let terms = [
      676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059,
      12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
    ]
    let sum = terms.enumerated().reduce(0.99999999999980993) { sum, term in
      sum + term.element / (x + Double(term.offset))
    }
    let t = x + 6.5
    return 0.5 * log(2 * Double.pi) + (x - 0.5) * log(t) - t + log(sum)
  }

  private static func fraction(_ x: Double, _ a: Double, _ b: Double) -> Double {
    let tiny = 1e-300
    func kept(_ value: Double) -> Double { abs(value) < tiny ? tiny : value }
    var c = 1.0, d = 1 / kept(1 - (a + b) * x / (a + 1))
    var result = d
    for m in 1...300 {
      let m = Double(m)
      let even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
      d = 1 / kept(1 + even * d)
      c = kept(1 + even / c)
      result *= d * c
      let odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
      d = 1 / kept(1 + odd * d)
      c = kept(1 + odd / c)
      result *= d * c
      if abs(d * c - 1) < 1e-15 { break }
    }
    return result
  }
}
