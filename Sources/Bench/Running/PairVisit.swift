internal import Diffing
internal import Organisms
internal import Scoring
internal import Worlds

/// A method at a level of access, with the digest of the code that decides its numbers.
struct MethodRun: Sendable {
  let method: any DiffingMethod
  let access: AccessLevel
  let sources: String

  init(_ method: any DiffingMethod, _ access: AccessLevel, _ digests: SourceDigest) throws {
    self.method = method
    self.access = access
    sources = digests.evidence(ofType: "\(type(of: method))")
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
    let (kept, new) = try evidence(methods, entry)
    let trials = try scored(kept, entry)
    report(.finished(trials: trials.count, new: new))
    return trials
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
        guard let evidence = try measured(item, key, pair(entry)) else { continue }
        kept.append((try lines.append(evidence), item.method.card))
        new += 1
      }
    }
    return (kept, new)
  }

  /// What a method says; nil, and told, if it cannot answer: the others can.
  private func measured(_ item: MethodRun, _ key: String, _ pair: PairRun) throws -> CellEvidence? {
    do {
      return try pair.evidence(item.method, item.access, key: key, sources: item.sources)
    } catch let error as DiffingError {
      let method = MethodAtAccess(item.method.card.id, item.access)
      report(
        .failed(
          .init(pair: subject.name, seeds: seeds, method: method, reason: "\(error)")))
      return nil
    }
  }

  private func scored(
    _ kept: [(evidence: CellEvidence, card: MethodCard)], _ entry: PairStore.Entry
  ) throws -> [Trial] {
    let judge = try judge()
    let effects = try EffectLookup(self, judge, entry)
    return try kept.map { item in
      judge.trial(item.evidence, card: item.card, effects: try effects?.of(item.evidence.evidence))
    }
  }

  private func judge() throws -> Judge {
    try Judge(
      run.workshop.library, subject: subject, seeds: seeds, failures: try failures(),
      layers: base.recipe.layers, prompts: run.prompts, floors: run.floors)
  }

  /// A kept cell with what its scores come from; nil if it was not measured.
  func inspect(_ method: MethodRun) throws -> CellInspection? {
    guard let entry = try entry() else { return nil }
    guard let kept = try evidence([method], entry).kept.first?.evidence else { return nil }
    let judge = try judge()
    let effects = try EffectLookup(self, judge, entry)?.of(kept.evidence)
    return CellInspection(
      evidence: kept, truth: judge.truth, effects: effects,
      trial: judge.trial(kept, card: method.method.card, effects: effects), pool: run.prompts.pool)
  }

  /// Why the plant is not installed.
  private func failures() throws -> [String] {
    guard case .organism(let organism, let regime) = subject else { return [] }
    guard !isReadOnly else {
      return try store.knownCertificate(organism, regime, in: base, planting: seeds.planting)?
        .failures ?? ["it was not certified"]
    }
    return try store.certificate(organism, regime, in: base, planting: seeds.planting).failures
  }

  /// The effects of a pair's interventions: kept, or measured now.
  private struct EffectLookup {
    private let visit: PairVisit
    private let behavior: ProbeSet
    private let entry: PairStore.Entry
    private let lines: KeyedLines<KeptEffects>

    /// Nil where there is no behaviour to measure effects on.
    init?(_ visit: PairVisit, _ judge: Judge, _ entry: PairStore.Entry) throws {
      guard let behavior = judge.behavior else { return nil }
      self.visit = visit
      self.behavior = behavior
      self.entry = entry
      lines = try visit.run.workshop.effects.open(
        visit.subject.name, digest: entry.models, isReadOnly: visit.isReadOnly)
    }

    /// What the first intervention of some evidence does; nil if it proposes none.
    func of(_ evidence: Evidence) throws -> MeasuredEffects? {
      guard let proposal = evidence.interventions?.first else { return nil }
      let key = try KeptEffects.key(
        proposal, behavior: behavior, pair: entry.models, sources: visit.run.effectSources,
        seed: visit.seeds.method)
      if let known = lines.value(key) { return known.effects }
      guard !visit.isReadOnly else { return nil }
      let effects = try visit.meter(behavior, entry).effects(of: proposal)
      return try lines.append(KeptEffects(key: key, effects: effects)).effects
    }
  }

  private func meter(_ behavior: ProbeSet, _ entry: PairStore.Entry) throws -> EffectMeter {
    if let meter { return meter }
    let new = try pair(entry).meter(behavior)
    meter = new
    return new
  }
}
