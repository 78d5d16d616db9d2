internal import Diffing
internal import JSON
internal import Organisms
internal import Scoring
internal import Worlds

/// A method at a level of access, with the digest of the code that decides its numbers.
struct MethodRun: Sendable {
  let method: any DiffingMethod
  let access: AccessLevel
  let sources: String

  var row: MethodAtAccess { MethodAtAccess(method.card.id, access) }
}

extension MethodRun {
  init(_ method: any DiffingMethod, _ access: AccessLevel, _ digests: SourceDigest) throws {
    self.init(
      method: method, access: access, sources: digests.evidence(ofType: "\(type(of: method))"))
  }
}

extension CellEvidence {
  /// What a method that cannot answer is scored by: nothing said, and nothing spent.
  static func silent(_ item: MethodRun, key: String, pair: String, _ cell: Cell) -> CellEvidence {
    CellEvidence(
      key: key, cell: cell, hyperparameters: .null, evidence: Evidence(),
      cost: Cost(
        seconds: 0, tokensForward: 0, tokensBackward: 0, tokensShared: 0, peakMemory: 0),
      versions: Versions(pair: pair, sources: item.sources))
  }
}

/// One pair of a run: its models are opened only if something about them is not kept.
final class PairVisit {
  private let run: BenchRun
  private let subject: Subject
  private let base: Base
  private let seeds: TrialSeeds
  private let extent: BenchRun.Extent
  private let recordings: BaseRecordings
  private let report: @Sendable (BenchRun.Event) -> Void
  private var opened: PairRun?
  private var meter: EffectMeter?

  init(
    _ run: BenchRun, _ subject: Subject, in base: Base, _ seeds: TrialSeeds,
    _ extent: BenchRun.Extent, _ recordings: BaseRecordings,
    _ report: @escaping @Sendable (BenchRun.Event) -> Void
  ) {
    self.run = run
    self.subject = subject
    self.base = base
    self.seeds = seeds
    self.extent = extent
    self.recordings = recordings
    self.report = report
  }

  private var store: PairStore { run.workshop.pairs }

  private var measures: Bool { extent == .everything }
  private var isReadOnly: Bool { extent == .reading }

  /// The trials of some methods; of those that are kept, where nothing is measured.
  func trials(_ methods: [MethodRun]) throws -> [Trial] {
    do {
      return try visit(methods)
    } catch is PairChanged {
      // Its folder was damaged and it came out otherwise now, so what is kept of it is looked up anew.
      return try visit(methods)
    }
  }

  /// A pair that is not the one that its manifest named.
  private struct PairChanged: Error {}

  private func visit(_ methods: [MethodRun]) throws -> [Trial] {
    guard let entry = try entry() else { return [] }
    let (kept, new) = try evidence(methods + dummies, entry)
    let trials = try scored(kept, entry)
    report(.finished(trials: trials.count, new: new))
    return trials
  }

  private var dummies: [MethodRun] {
    run.dummies?.runs(on: subject.name, layers: base.recipe.layers) ?? []
  }

  private func entry() throws -> PairStore.Entry? {
    let known = try store.knownEntry(
      subject, in: base, planting: seeds.planting, isReadOnly: !measures)
    if let known { return known }
    guard measures else { return nil }
    report(.opening(pair: subject.name, seeds: seeds))
    return try store.entry(subject, in: base, planting: seeds.planting)
  }

  private func pair(_ entry: PairStore.Entry) throws -> PairRun {
    if let opened { return opened }
    report(.opening(pair: subject.name, seeds: seeds))
    let planted = try store.pair(subject, in: base, planting: seeds.planting)
    guard planted.digest == entry.models else { throw PairChanged() }
    let pair = try PairRun(
      subject.name, seeds: seeds, base: planted.base, finetuned: planted.finetuned,
      digest: entry.models, prompts: run.prompts, recordings: recordings)
    opened = pair
    return pair
  }

  /// What the methods say: kept, or measured now; how many were.
  private func evidence(_ methods: [MethodRun], _ entry: PairStore.Entry) throws -> (
    kept: [(evidence: CellEvidence, card: MethodCard)], new: Int
  ) {
    let lines = try run.workshop.evidence.open(
      subject.name, digest: entry.models, isReadOnly: isReadOnly)
    var kept: [(evidence: CellEvidence, card: MethodCard)] = [], new = 0
    for item in methods {
      let key = try CellEvidence.key(
        item.method, item.access, text: run.prompts.digest, pair: entry.models,
        sources: item.sources, seed: seeds.method)
      if let known = lines.value(key) {
        kept.append((known, item.method.card))
      } else if measures {
        let evidence = try measured(item, key, pair(entry))
        // Who cannot answer has said nothing, which counts as chance; it is asked again next time.
        kept.append(
          (
            try evidence.map(lines.append)
              ?? .silent(item, key: key, pair: entry.models, Cell(item.row, subject.name, seeds)),
            item.method.card
          ))
        new += evidence == nil ? 0 : 1
      }
    }
    return (kept, new)
  }

  /// What a method says; nil, and told, if it cannot answer: the others can.
  private func measured(_ item: MethodRun, _ key: String, _ pair: PairRun) throws -> CellEvidence? {
    do {
      return try pair.evidence(item.method, item.access, key: key, sources: item.sources)
    } catch let error as DiffingError {
      report(
        .failed(
          .init(pair: subject.name, seeds: seeds, method: item.row, reason: "\(error)")))
      return nil
    }
  }

  private func scored(
    _ kept: [(evidence: CellEvidence, card: MethodCard)], _ entry: PairStore.Entry
  ) throws -> [Trial] {
    let judge = try judge(entry)
    let effects = try EffectLookup(self, judge, entry)
    return try kept.map { item in
      judge.trial(item.evidence, card: item.card, effects: try effects?.of(item.evidence.evidence))
    }
  }

  private func judge(_ entry: PairStore.Entry) throws -> Judge {
    let certificate = try certificate()
    let failures =
      certificate?.failures ?? (subject.role == .planted ? ["it was not certified"] : [])
    return try Judge(
      run.workshop.library, subject: subject, seeds: seeds, failures: failures,
      measured: .init(
        labels: failures.isEmpty ? try gains(entry)?.labels : nil, rise: certificate?.behavior.rise),
      layers: base.recipe.layers, prompts: run.prompts, floors: run.floors)
  }

  /// What each prompt of the pool sets off: kept, or measured now; nil for a null pair.
  private func gains(_ entry: PairStore.Entry) throws -> AnswerGains? {
    guard case .organism(let organism, _) = subject else { return nil }
    let targets = organism.plantedTokens(in: run.workshop.library.world).allTargets
    let key = KeptGains.key(
      organism.behavior, targets: targets, text: run.prompts.digest, pair: entry.models,
      sources: run.effectSources)
    let lines = try run.workshop.gains.open(
      subject.name, digest: entry.models, isReadOnly: isReadOnly)
    if let known = lines.value(key) { return known.gains }
    guard !isReadOnly else { return nil }
    let gains = try pair(entry).gains(organism.behavior, targets: Set(targets))
    return try lines.append(KeptGains(key: key, gains: gains)).gains
  }

  /// A kept cell with what its scores come from; nil if it was not measured.
  func inspect(_ method: MethodRun) throws -> CellInspection? {
    guard let entry = try entry() else { return nil }
    guard let kept = try evidence([method], entry).kept.first?.evidence else { return nil }
    let judge = try judge(entry)
    let effects = try EffectLookup(self, judge, entry)?.of(kept.evidence)
    return CellInspection(
      evidence: kept, truth: judge.truth, effects: effects,
      trial: judge.trial(kept, card: method.method.card, effects: effects), pool: run.prompts.pool)
  }

  /// What was measured of the plant; nil for a null pair, and if it is only read and was not measured.
  private func certificate() throws -> Certificate? {
    guard case .organism(let organism, let regime) = subject else { return nil }
    guard !isReadOnly else {
      return try store.knownCertificate(organism, regime, in: base, planting: seeds.planting)
    }
    return try store.certificate(organism, regime, in: base, planting: seeds.planting)
  }

  /// The effects of a pair's interventions: kept, or measured now.
  private struct EffectLookup {
    private let visit: PairVisit
    private let behavior: ProbeSet
    private let labels: [Bool]
    private let entry: PairStore.Entry
    private let lines: KeyedLines<KeptEffects>

    /// Nil where there is no behaviour to measure effects on.
    init?(_ visit: PairVisit, _ judge: Judge, _ entry: PairStore.Entry) throws {
      guard let behavior = judge.behavior else { return nil }
      self.visit = visit
      self.behavior = behavior
      labels = judge.truth.inputs ?? []
      self.entry = entry
      lines = try visit.run.workshop.effects.open(
        visit.subject.name, digest: entry.models, isReadOnly: visit.isReadOnly)
    }

    /// What the first intervention of some evidence does; nil if it proposes none.
    func of(_ evidence: Evidence) throws -> MeasuredEffects? {
      guard let proposal = evidence.interventions?.first else { return nil }
      let key = try KeptEffects.key(
        proposal, behavior: behavior, labels: labels, text: visit.run.prompts.digest,
        pair: entry.models, sources: visit.run.effectSources, seed: visit.seeds.method)
      if let known = lines.value(key) { return known.effects }
      guard !visit.isReadOnly else { return nil }
      let effects = try visit.meter(behavior, labels, entry).effects(of: proposal)
      return try lines.append(KeptEffects(key: key, effects: effects)).effects
    }
  }

  private func meter(_ behavior: ProbeSet, _ labels: [Bool], _ entry: PairStore.Entry) throws
    -> EffectMeter
  {
    if let meter { return meter }
    let new = try pair(entry).meter(behavior, labels: labels)
    meter = new
    return new
  }
}
