package import Bench
internal import Diffing
internal import Scoring
internal import Tensors

extension Ledger {
  /// Blesses the trials of a run.
  ///
  /// - Parameters:
  ///   - trials: The trials of a whole tier, for one method seed or several.
  ///   - tier: That tier.
  ///   - earlier: A ledger of other machines to be widened, if there is one.
  ///   - rest: A ledger of which everything stays that the trials say nothing of, if there is one.
  package init(
    _ trials: [Trial], tier: Tier = .smoke, widening earlier: Ledger? = nil,
    keeping rest: Ledger? = nil
  ) {
    let own = trials.first.map { Machine($0) }
    let before = earlier ?? rest, known = before?.machines ?? []
    let runs = Dictionary(grouping: trials, by: \.seeds.method).sorted { $0.key < $1.key }
      .map(\.value)
    self.init(
      tier: tier, methodSeeds: max(runs.count, 1),
      machines: known + [own].compactMap { $0 }.filter { !known.contains($0) },
      plants: Self.names(
        trials.filter { !$0.isNull && $0.isInstalled }, before?.plants),
      nulls: Self.names(trials.filter(\.isNull), before?.nulls),
      cells: Self.joined(Self.cells(trials), earlier?.cells, keeping: rest?.cells),
      methods: Self.joined(Self.methods(runs), earlier?.methods, keeping: rest?.methods))
  }

  private static func names(_ trials: [Trial], _ earlier: [String]?) -> [String] {
    Set(trials.map(name) + (earlier ?? [])).sorted()
  }

  /// What each cell scored over the method seeds; where it was silent, chance.
  private static func cells(_ trials: [Trial]) -> [String: Figures] {
    let plants = trials.filter { !$0.isNull && $0.isInstalled }
    return Dictionary(grouping: plants) { "\($0.cell.withoutMethodSeed)" }.compactMapValues {
      own -> Figures? in
      let figures = Question.allCases.reduce(into: Figures()) { figures, question in
        let scores = own.compactMap { $0.score(question) }
        guard scores.contains(where: { $0.value != nil }) else { return }
        figures[question.rawValue] = Expectation(
          scores.compactMap(\.counted), isOftenSilent: scores.contains { $0.value == nil })
      }
      return figures.isEmpty ? nil : figures
    }
  }

  /// What each method's figures were over the method seeds.
  private static func methods(_ runs: [[Trial]]) -> [String: Figures] {
    var values: [String: [String: [Double]]] = [:]
    for run in runs {
      for method in BenchSummary(run).methods {
        let name = "\(method.row)"
        values[name] = values[name] ?? [:]
        for (question, value) in figures(method) {
          values[name]?[question.rawValue, default: []].append(value)
        }
      }
    }
    return values.mapValues { $0.mapValues { Expectation($0) } }
  }

  /// A method's figures over all plants: of *whether* the AUROC, otherwise the mean score.
  ///
  /// Who gives fewer than half of the plants a magnitude has no AUROC, not one of a half.
  static func figures(_ method: MethodSummary) -> [Question: Double] {
    Question.allCases.reduce(into: [:]) { figures, question in
      if question != .whether {
        figures[question] = method.mean(question)
      } else if method.givesMagnitudes {
        figures[question] = method.calibrated(\.area)
      }
    }
  }

  private static func joined(
    _ own: [String: Figures], _ earlier: [String: Figures]?, keeping rest: [String: Figures]?
  ) -> [String: Figures] {
    own.reduce(into: rest ?? [:]) { all, entry in
      all[entry.key] = entry.value.reduce(into: [:]) {
        $0[$1.key] = $1.value.joined(earlier?[entry.key]?[$1.key])
      }
    }
  }
}

extension Ledger.Expectation {
  /// - Parameters:
  ///   - values: A figure, method seed by method seed.
  ///   - isOftenSilent: Whether some seed left the question unanswered.
  fileprivate init(_ values: [Double], isOftenSilent: Bool = false) {
    func rounded(_ value: Double) -> Double { (value * 1000).rounded() / 1000 }
    let mean = rounded(values.mean), spread = rounded(values.standardDeviation)
    self.init(
      low: mean, high: mean, spread: spread > 0 ? spread : nil,
      isOftenSilent: isOftenSilent ? true : nil)
  }

  fileprivate func joined(_ other: Self?) -> Self {
    guard let other else { return self }
    return Self(
      low: min(low, other.low), high: max(high, other.high),
      spread: [spread, other.spread].compactMap(\.self).max(),
      isOftenSilent: isOftenSilent ?? other.isOftenSilent)
  }
}
