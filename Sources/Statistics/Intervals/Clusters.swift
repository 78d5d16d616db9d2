package import Bench
package import Tensors

/// What trials come in: organisms within families, each on every base.
///
/// Trials of one organism, or of one base, are no independent witnesses, so they are drawn together.
package struct Clusters: Equatable, Sendable {
  /// The organisms, family by family.
  package let families: [[String]]
  package let bases: [UInt64]
  /// The place of an organism among all, in the order of the families.
  let places: [String: Int]
  /// The places of each family's organisms.
  let ranges: [Range<Int>]

  /// - Parameter trials: Those that a figure is made of; null pairs count with the organism that they are matched with.
  package init(_ trials: some Sequence<Trial>) {
    // An organism that was moved from one family to another counts where it was first.
    var families: [String: String] = [:], bases: Set<UInt64> = []
    for trial in trials where !trial.isNull {
      if families[trial.pair.subject] == nil { families[trial.pair.subject] = trial.family }
      bases.insert(trial.seeds.base)
    }
    let members = Dictionary(grouping: families.keys) { families[$0] ?? "" }
    self.init(families: members.sorted { $0.key < $1.key }.map { $0.value.sorted() }, bases: bases)
  }

  private init(families: [[String]], bases: Set<UInt64>) {
    self.families = families
    self.bases = bases.sorted()
    var places: [String: Int] = [:], ranges: [Range<Int>] = []
    for family in families {
      ranges.append(places.count..<places.count + family.count)
      for organism in family { places[organism] = places.count }
    }
    self.places = places
    self.ranges = ranges
  }

  var organismCount: Int { places.count }

  /// How many independent witnesses there are: families, or organisms if all are of one family, or bases if all are of
  /// one organism.
  package var witnesses: Int {
    [families.count, organismCount].first { $0 > 1 } ?? bases.count
  }

  /// Draws families with replacement, organisms within each family that is drawn, and bases beside them.
  ///
  /// Organisms and bases are crossed, so both are drawn (the pigeonhole bootstrap; Owen, 2007). Organisms are nested in
  /// families: to draw organisms alone is to hold the mix of families fixed, and with one or two organisms a family
  /// such intervals hold the truth in 55 to 80 cases of 100 instead of 95. What the bases share counts with as many
  /// degrees of freedom as there are families, so that intervals are too narrow where bases differ more than families do
  /// (.89 instead of .95 where they differ as much, in simulations), and say nothing of other bases if there was one.
  package func draw(_ generator: inout SeededGenerator) -> ClusterDraw {
    let drawn = families.map { _ in
      let family = generator.index(below: families.count)
      return ClusterDraw.Family(
        index: family, organisms: Self.counts(ranges[family].count, &generator))
    }
    return ClusterDraw(families: drawn, bases: Self.counts(bases.count, &generator))
  }

  /// The families of another run's draw, with organisms and bases of its own.
  ///
  /// - Precondition: The runs have the same families.
  func draw(like other: ClusterDraw, _ generator: inout SeededGenerator) -> ClusterDraw {
    let drawn = other.families.map { family in
      ClusterDraw.Family(
        index: family.index, organisms: Self.counts(ranges[family.index].count, &generator))
    }
    return ClusterDraw(families: drawn, bases: Self.counts(bases.count, &generator))
  }

  /// How often each of some things is drawn in as many draws as there are things.
  private static func counts(_ count: Int, _ generator: inout SeededGenerator) -> [Double] {
    var counts = [Double](repeating: 0, count: count)
    for _ in 0..<count { counts[generator.index(below: count)] += 1 }
    return counts
  }

  /// Everything once: what it gives is the figure itself.
  package var everything: ClusterDraw {
    ClusterDraw(
      families: ranges.indices.map {
        ClusterDraw.Family(index: $0, organisms: ranges[$0].map { _ in 1 })
      }, bases: bases.map { _ in 1 })
  }

  /// Draws that every row of a column shares, so that their differences are paired.
  package func draws(_ count: Int = Self.drawCount, seed: UInt64 = 0) -> [ClusterDraw] {
    var generator = SeededGenerator(seed: seed, for: "clusters")
    return (0..<count).map { _ in draw(&generator) }
  }

  /// Enough that the ends of an interval move by less than a hundredth from seed to seed.
  package static let drawCount = 2000
}

/// How often each cluster was drawn.
package struct ClusterDraw: Sendable {
  /// One family that was drawn, perhaps not for the first time, and how often each of its organisms was.
  struct Family: Sendable {
    let index: Int
    let organisms: [Double]
  }

  let families: [Family]
  let bases: [Double]

  /// How often each organism was drawn, whichever draw of its family it was in.
  func organismCounts(in clusters: Clusters) -> [Double] {
    var counts = [Double](repeating: 0, count: clusters.organismCount)
    for family in families {
      for (offset, count) in family.organisms.enumerated() {
        counts[clusters.ranges[family.index].lowerBound + offset] += count
      }
    }
    return counts
  }
}
