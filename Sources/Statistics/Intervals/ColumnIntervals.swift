package import Bench
internal import Scoring

/// A column's figures with what its run allows one to say of each: from draws that all rows share.
package struct ColumnIntervals: Sendable {
  /// One method's figure.
  package struct Estimate: Sendable {
    package let row: MethodAtAccess
    package let value: Double
    /// Nil without two clusters.
    package let interval: ConfidenceInterval?
    /// How many independent witnesses the figure itself rests on.
    package let witnesses: Int
    /// The figure over each draw; nil where a draw holds nothing that it is made of.
    let replicates: [Double?]
  }

  /// How much a column's figures are made of.
  package struct Counts: Equatable, Sendable {
    package let families, organisms, bases: Int
  }

  /// In the order of the methods; those without a figure are left out.
  package let estimates: [Estimate]
  package let counts: Counts

  /// A column of some methods.
  ///
  /// - Parameters:
  ///   - column: The column.
  ///   - methods: Its rows.
  ///   - drawCount: How often clusters are drawn.
  /// - Returns: Nil if the column has no intervals, or no method has a figure.
  package init?(
    _ column: Column, _ methods: [MethodSummary], drawCount: Int = Clusters.drawCount
  ) {
    self.init(methods.map { (column, $0) }, drawCount: drawCount)
  }

  /// Any figures of any methods.
  init?(_ figures: [(column: Column, method: MethodSummary)], drawCount: Int = Clusters.drawCount) {
    let filled = figures.filter { $0.column.figure($0.method) != nil }
    let clusters = Clusters(filled.flatMap { $0.column.trials($0.method) })
    let draws = clusters.draws(drawCount)
    estimates = filled.compactMap { Estimate($0.column, $0.method, clusters, draws) }
    guard !estimates.isEmpty else { return nil }
    counts = Counts(
      families: clusters.families.count, organisms: clusters.organismCount,
      bases: clusters.bases.count)
  }
}

extension ColumnIntervals.Estimate {
  fileprivate init?(
    _ column: Column, _ method: MethodSummary, _ clusters: Clusters, _ draws: [ClusterDraw]
  ) {
    guard let value = column.figure(method), let figure = column.clustered(method, clusters) else {
      return nil
    }
    replicates = draws.map(figure.value)
    row = method.row
    self.value = value
    witnesses = Clusters(column.trials(method)).witnesses
    interval = ConfidenceInterval(
      value, replicates: replicates.compactMap(\.self), witnesses: witnesses
    )?.joined(column.rateInterval(method))
  }
}

extension Column {
  /// The planted trials that a method's figure is made of.
  fileprivate func trials(_ method: MethodSummary) -> [Trial] {
    switch source {
    case .mean(let reading):
      guard let reading = reading(method) else { return [] }
      return method.installed.filter { reading($0) != nil }
    case .calibrated, .rate:
      return method.calibrationGroups.flatMap(\.trials).filter { !$0.isNull }
    case .plain: return []
    }
  }

  /// A method's figure as one of clusters; nil if it has none.
  fileprivate func clustered(_ method: MethodSummary, _ clusters: Clusters)
    -> (any ClusteredFigure)?
  {
    switch source {
    case .mean(let reading):
      reading(method).map { ClusteredMean(method.installed, in: clusters, $0) }
    case .calibrated(let figure), .rate(_, _, let figure):
      ClusteredCalibration(method.calibrationGroups, in: clusters, figure)
    case .plain: nil
    }
  }

  /// Wilson's interval of a rate: no draw of pairs of which none alarmed has one that does.
  fileprivate func rateInterval(_ method: MethodSummary) -> ConfidenceInterval? {
    guard case .rate(let role, _, _) = source, let rate = figure(method) else { return nil }
    return ConfidenceInterval(rate: rate, of: method.count(role))
  }
}
