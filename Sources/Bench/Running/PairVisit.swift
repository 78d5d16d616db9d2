internal import Diffing
internal import JSON
internal import Organisms
internal import Scoring
internal import Tensors
internal import Worlds

/// A method at a level of access, with what its evidence is kept under.
struct KeyedMethod {
  let run: MethodRun
  let key: String
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
  private let ground: Ground
  private let seeds: TrialSeeds
  private let extent: BenchRun.Extent
  private let report: @Sendable (BenchRun.Event) -> Void
  private var opened: PairRun?
  private var meter: EffectMeter?

  init(
    _ run: BenchRun, _ subject: Subject, on ground: Ground, _ seeds: TrialSeeds,
    _ extent: BenchRun.Extent, _ report: @escaping @Sendable (BenchRun.Event) -> Void
  ) {
    self.run = run
    self.subject = subject
    self.ground = ground
    self.seeds = seeds
    self.extent = extent
    self.report = report
  }

  private var store: PairStore { run.workshop.pairs }
  private var base: Base { ground.base }

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
    ground.dummies?.runs(on: subject.name, of: subject.plant, layers: base.world.layers) ?? []
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
    guard let pair = try run.open(subject, on: ground, seeds, models: entry.models) else {
      throw PairChanged()
    }
    opened = pair
    return pair
  }

  /// What the methods say: kept, or measured now; how many were.
  private func evidence(_ methods: [MethodRun], _ entry: PairStore.Entry) throws -> (
    kept: [(evidence: CellEvidence, card: MethodCard)], new: Int
  ) {
    let lines = try run.workshop.evidence.open(
      subject.name, digest: entry.models, isReadOnly: isReadOnly)
    let cells = try methods.map {
      KeyedMethod(run: $0, key: try run.key(of: $0, on: entry.models, seeds))
    }
    let missing =
      measures
      ? cells.filter { subject.asks($0.run.card) && lines.value($0.key) == nil } : []
    let measured = try self.measured(missing, entry).mapValues(lines.append)
    let kept = cells.compactMap { cell -> (evidence: CellEvidence, card: MethodCard)? in
      let isAsked = subject.asks(cell.run.card)
      let known = isAsked ? measured[cell.key] ?? lines.value(cell.key) : nil
      guard known != nil || measures || !isAsked else { return nil }
      // Who cannot answer has said nothing, which counts as chance; it is asked again next time.
      return (
        known
          ?? .silent(
            cell.run, key: cell.key, pair: entry.models, Cell(cell.run.row, subject.name, seeds)),
        cell.run.card
      )
    }
    return (kept, measured.count)
  }

  /// What methods say, by key; of one that cannot answer there is nothing, and it is told: the others can.
  private func measured(_ missing: [KeyedMethod], _ entry: PairStore.Entry) throws -> [String:
    CellEvidence]
  {
    let programs = missing.filter { $0.run.program != nil }
    let own = missing.filter { $0.run.program == nil }
    return try measuredByPrograms(programs, entry).merging(measuredByOwn(own, entry)) { first, _ in
      first
    }
  }

  /// What Assay's own methods say.
  private func measuredByOwn(_ missing: [KeyedMethod], _ entry: PairStore.Entry) throws
    -> [String: CellEvidence]
  {
    guard let workers = run.workers else { return try measuredHere(missing, entry) }
    // Who is not run on null pairs gets a process of its own on a plant: nobody else can tell one by having it beside
    // him.
    let groups = AccessLevel.allCases.flatMap { access in
      [true, false].map { answers in
        missing.filter {
          $0.run.access == access && $0.run.card.questions.contains(.whether) == answers
        }
      }
    }
    return groups.reduce(into: [:]) { known, items in
      guard let access = items.first?.run.access else { return }
      let request = WorkerRequest(
        subject.name, seeds, models: entry.models, access: access, shuffled(items, access))
      let asked = Set(items.map(\.key))
      for reply in replies(workers, request) {
        if let evidence = reply.evidence, asked.contains(evidence.key) {
          known[evidence.key] = evidence
        }
        if let reason = reply.failure, let method = reply.method {
          tell(MethodAtAccess(method, access), reason)
        }
      }
    }
  }

  private func replies(_ workers: WorkerPool, _ request: WorkerRequest) -> [WorkerReply] {
    do {
      return try workers.replies(request)
    } catch {
      return request.items.map { .silence($0.method, "\(error)") }
    }
  }

  /// In an order that is the same for every pair, so that nobody's place tells one.
  private func shuffled(_ items: [KeyedMethod], _ access: AccessLevel) -> [KeyedMethod] {
    var generator = SeededGenerator(
      seed: seeds.method, for: "order of methods from \(access.rawValue)")
    return generator.permutation(items.count).map { items[$0] }
  }

  private func measuredHere(_ missing: [KeyedMethod], _ entry: PairStore.Entry) throws -> [String:
    CellEvidence]
  {
    try missing.reduce(into: [:]) { known, cell in
      do {
        guard case .own(let method) = cell.run.code else { return }
        known[cell.key] = try pair(entry).evidence(
          method, cell.run.access, key: cell.key, sources: cell.run.sources)
      } catch let error as DiffingError {
        tell(cell.run.row, "\(error)")
      }
    }
  }

  /// What people's programs say: each is given folders, and none knows of another.
  private func measuredByPrograms(_ missing: [KeyedMethod], _ entry: PairStore.Entry) throws
    -> [String: CellEvidence]
  {
    guard !missing.isEmpty, let pool = run.programs else { return [:] }
    report(.opening(pair: subject.name, seeds: seeds))
    let planted = try store.pair(subject, in: base, planting: seeds.planting)
    guard store.digest(of: planted) == entry.models else { throw PairChanged() }
    return missing.reduce(into: [:]) { known, item in
      guard let program = item.run.program else { return }
      let pair = ExternalPair(
        base: planted.base, finetuned: planted.finetuned, world: base.world,
        prompts: run.prompts.set(item.run.access), seed: seeds.method)
      do {
        let answer = try pool.answer(of: program, on: pair)
        known[item.key] = CellEvidence(
          key: item.key, cell: Cell(item.run.row, subject.name, seeds),
          hyperparameters: .object([("command", .string(program.command))]),
          evidence: answer.evidence, cost: answer.cost,
          versions: .init(pair: entry.models, sources: item.run.sources))
      } catch {
        tell(item.run.row, "\(error)")
      }
    }
  }

  private func tell(_ method: MethodAtAccess, _ reason: String) {
    report(.failed(.init(pair: subject.name, seeds: seeds, method: method, reason: reason)))
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
    let failures = certificate?.failures ?? uncertifiedFailures(entry)
    return try Judge(
      ground.library, subject: subject, seeds: seeds, failures: failures,
      measured: .init(
        labels: failures.isEmpty ? try gains(entry)?.labels : nil, rise: certificate?.behavior.rise),
      layers: base.world.layers, prompts: run.prompts, floors: ground.floors)
  }

  /// What is wrong with a pair that has no certificate.
  private func uncertifiedFailures(_ entry: PairStore.Entry) -> [String] {
    switch subject.role {
    case .planted: ["it was not certified"]
    case .ghost where entry.training?.markStep == nil: ["what was planted is still there"]
    case .ghost, .broad, .narrow, .novel, .invariant, .prompted: []
    }
  }

  /// What each prompt of the pool sets off: kept, or measured now; nil for a null pair.
  private func gains(_ entry: PairStore.Entry) throws -> AnswerGains? {
    guard case .organism(let organism, _) = subject else { return nil }
    let targets = organism.plantedTokens(in: base.world).allTargets
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
      trial: judge.trial(kept, card: method.card, effects: effects),
      gains: try gains(entry), pool: run.prompts.pool)
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
