internal import Bench

/// A figure of one method that can be computed again from clusters that were drawn.
protocol ClusteredFigure: Sendable {
  /// The figure over a draw; nil if the draw holds nothing that it is made of.
  func value(_ draw: ClusterDraw) -> Double?
}

/// The mean over families of the mean over a family's trials.
struct ClusteredMean: ClusteredFigure {
  private let clusters: Clusters
  /// Sums and counts of values, a row an organism, a column a base.
  private var sums, counts: [Double]

  /// - Parameters:
  ///   - trials: Planted ones, of organisms and bases among the clusters.
  ///   - value: A trial's number; nil leaves it out.
  init(_ trials: [Trial], in clusters: Clusters, _ value: (Trial) -> Double?) {
    self.clusters = clusters
    let size = clusters.organismCount * clusters.bases.count
    sums = [Double](repeating: 0, count: size)
    counts = sums
    for trial in trials {
      guard let value = value(trial), let organism = clusters.places[trial.pair.subject],
        let base = clusters.bases.firstIndex(of: trial.seeds.base)
      else { continue }
      sums[organism * clusters.bases.count + base] += value
      counts[organism * clusters.bases.count + base] += 1
    }
  }

  func value(_ draw: ClusterDraw) -> Double? {
    var sum = 0.0, families = 0.0
    for family in draw.families {
      guard let mean = mean(family, draw.bases) else { continue }
      sum += mean
      families += 1
    }
    return families > 0 ? sum / families : nil
  }

  private func mean(_ family: ClusterDraw.Family, _ bases: [Double]) -> Double? {
    var sum = 0.0, count = 0.0
    for (organism, drawn) in zip(clusters.ranges[family.index], family.organisms) where drawn > 0 {
      for base in bases.indices {
        let cell = organism * bases.count + base
        sum += drawn * bases[base] * sums[cell]
        count += drawn * bases[base] * counts[cell]
      }
    }
    return count > 0 ? sum / count : nil
  }
}

/// A figure of calibrations on null pairs: those that are matched with a plant are drawn with it.
struct ClusteredCalibration: ClusteredFigure {
  private let clusters: Clusters
  private let groups: [CalibrationGroup]
  private let figure: @Sendable (Calibration) -> Double?
  /// For every observation of every group, the places of its organism and its base.
  private let places: [[(organism: Int?, base: Int)]]

  init(
    _ groups: [CalibrationGroup], in clusters: Clusters,
    _ figure: @escaping @Sendable (Calibration) -> Double?
  ) {
    self.clusters = clusters
    self.groups = groups
    self.figure = figure
    places = groups.map { group in
      group.trials.map { trial in
        (
          clusters.places[trial.match?.subject ?? trial.pair.subject],
          clusters.bases.firstIndex(of: trial.seeds.base) ?? 0
        )
      }
    }
  }

  func value(_ draw: ClusterDraw) -> Double? {
    let organisms = draw.organismCounts(in: clusters)
    let calibrations = zip(groups, places).map { group, places in
      Calibration(
        ascending: group.observations,
        weights: places.map { draw.bases[$0.base] * ($0.organism.map { organisms[$0] } ?? 1) })
    }
    return Calibration.mean(calibrations, figure)
  }
}
