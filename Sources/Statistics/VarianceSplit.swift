package import Bench

/// What the scatter of a number over trials comes from: variances of the parts whose sum a trial's number is.
///
/// y = μ + family + organism + base + cell + planting + draw: an organism under a regime on a base is a cell, planted
/// perhaps more than once, and measured perhaps with several seeds of the method's own draws.
///
/// Of two trials ½ (y − y′)² is, in the mean, the sum of the variances of those parts in which they differ. The least
/// squares over all pairs of trials, none negative, give the parts (the symmetric-differences estimate; Koch, 1968).
/// Unequal numbers of trials do no harm.
package struct VarianceSplit: Equatable, Sendable {
  /// What trials can differ in.
  package enum Part: String, CaseIterable, Sendable {
    case family, organism, base
    /// The organism under its regime on its base.
    case cell
    /// The planting's seed.
    case planting
    /// The seed of the method's draws.
    case draw
  }

  /// The variance of each part; nil where trials never differ in it alone, so that it is in the part before it.
  package let variances: [Part: Double]

  /// The sum of all parts: the variance of one trial of an organism, family and base that nobody has seen.
  package var total: Double { Part.allCases.reduce(0) { $0 + (variances[$1] ?? 0) } }

  /// - Parameters:
  ///   - trials: Planted ones.
  ///   - value: A trial's number; nil leaves it out.
  /// - Returns: Nil with fewer than two numbers.
  package init?(_ trials: [Trial], _ value: (Trial) -> Double?) {
    let known = trials.compactMap { trial in value(trial).map { (trial: trial, value: $0) } }
    guard known.count > 1 else { return nil }
    var classes: [[Bool]: (sum: Double, count: Double)] = [:]
    for a in known.indices {
      for b in known.indices where b > a {
        let difference = known[a].value - known[b].value
        let key = Self.differences(known[a].trial, known[b].trial)
        let old = classes[key] ?? (0, 0)
        classes[key] = (old.sum + difference * difference / 2, old.count + 1)
      }
    }
    variances = Self.fit(classes)
  }

  /// In which parts two trials differ, in the order of the parts.
  private static func differences(_ a: Trial, _ b: Trial) -> [Bool] {
    let organism = a.pair.subject != b.pair.subject, base = a.seeds.base != b.seeds.base
    let cell = organism || base || a.pair != b.pair
    let planting = cell || a.seeds.planting != b.seeds.planting
    return [a.family != b.family, organism, base, cell, planting, true]
  }

  /// Solves for the parts that can be told apart; a part that comes out negative is nothing.
  private static func fit(_ classes: [[Bool]: (sum: Double, count: Double)]) -> [Part: Double] {
    let keys = classes.keys.sorted { $0.description < $1.description }
    // Of parts that always differ together the first one stands for all.
    var patterns: Set<[Bool]> = []
    let known = Part.allCases.indices.filter { part in
      let pattern = keys.map { $0[part] }
      return pattern.contains(true) && patterns.insert(pattern).inserted
    }
    var active = known
    while !active.isEmpty {
      let solution = leastSquares(classes, keys, active)
      guard let worst = solution.indices.min(by: { solution[$0] < solution[$1] }),
        solution[worst] < 0
      else {
        let found = Dictionary(uniqueKeysWithValues: zip(active, solution))
        return known.reduce(into: [:]) { $0[Part.allCases[$1]] = found[$1] ?? 0 }
      }
      active.remove(at: worst)
    }
    return known.reduce(into: [:]) { $0[Part.allCases[$1]] = 0 }
  }

  /// The normal equations over the classes of pairs, each weighted by its pairs.
  private static func leastSquares(
    _ classes: [[Bool]: (sum: Double, count: Double)], _ keys: [[Bool]], _ active: [Int]
  ) -> [Double] {
    var system = [[Double]](
      repeating: [Double](repeating: 0, count: active.count + 1), count: active.count)
    for key in keys {
      guard let pairs = classes[key] else { continue }
      for (row, a) in active.enumerated() where key[a] {
        for (column, b) in active.enumerated() where key[b] { system[row][column] += pairs.count }
        system[row][active.count] += pairs.sum
      }
    }
    return LinearSystem.solution(of: system)
  }
}

/// A few linear equations in as many unknowns.
enum LinearSystem {
  /// Solves by elimination with pivots; an unknown that the equations leave open is 0.
  ///
  /// - Parameter system: A row an equation, the right side behind the coefficients.
  static func solution(of system: [[Double]]) -> [Double] {
    var rows = system
    let count = rows.count
    for column in 0..<count {
      let pivot = (column..<count).max { abs(rows[$0][column]) < abs(rows[$1][column]) } ?? column
      rows.swapAt(column, pivot)
      guard abs(rows[column][column]) > 1e-12 else { continue }
      for row in 0..<count where row != column {
        let factor = rows[row][column] / rows[column][column]
        for place in column...count { rows[row][place] -= factor * rows[column][place] }
      }
    }
    return rows.indices.map { abs(rows[$0][$0]) > 1e-12 ? rows[$0][count] / rows[$0][$0] : 0 }
  }
}
