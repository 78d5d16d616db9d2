internal import Diffing
internal import Foundation
internal import JSON
internal import Organisms
internal import Scoring
internal import Tensors
internal import Transformers

/// Runs methods on one pair and scores them.
struct PairBench {
  let library: Library
  let base: Base
  let subject: Subject
  let planted: PlantedPair
  let pairDigest: String
  let sourceDigest: String
  private let pair: ModelPair
  private let prompts: Prompts
  private let key: PlantedChange
  private let context: ScoringContext

  init(
    _ library: Library, base: Base, subject: Subject, planted: PlantedPair, pairDigest: String,
    sourceDigest: String, recordings: BaseRecordings
  ) throws {
    self.library = library
    self.base = base
    self.subject = subject
    self.planted = planted
    self.pairDigest = pairDigest
    self.sourceDigest = sourceDigest
    pair = try ModelPair(
      base: planted.base, finetuned: planted.finetuned,
      baseRecordings: recordings.of(planted.base), showsExhibits: false)
    let world = library.world
    prompts = try Prompts(world)
    switch subject {
    case .organism(let organism, let regime):
      key = try organism.plantedChange(
        in: world, pool: prompts.pool, model: planted.base, regime: regime)
    case .null:
      key = .null
    }
    context = try Self.context(library, subject: subject, pair: pair, seed: base.recipe.seed)
  }

  private static func context(
    _ library: Library, subject: Subject, pair: ModelPair, seed: UInt64
  ) throws -> ScoringContext {
    let world = library.world
    var siblings: [PlantedChange.Tokens] = []
    var frequencies: [Int] = []
    if case .organism(let organism, _) = subject {
      siblings = library.organisms.filter { $0.id != organism.id }.map {
        $0.plantedTokens(in: world)
      }
      frequencies = try organism.frequencyRanking(in: world)
    }
    return ScoringContext(
      vocabulary: world.tokenizer.vocabulary.count,
      specialTokens: Set(0..<world.tokenizer.specialCount), siblings: siblings,
      frequencyRanking: frequencies, pair: pair, seed: seed)
  }

  /// The digest of everything that decides a trial.
  static func key(
    _ method: any DiffingMethod, _ access: AccessLevel, pair: String, sources: String
  ) throws -> String {
    var hash = ContentHash()
    hash.mix(sources)
    hash.mix(pair)
    hash.mix(method.card.id)
    hash.mix(try JSON.encode(method))
    hash.mix(access.rawValue)
    return hash.text
  }

  /// Runs one method at one level of access.
  func run(_ method: any DiffingMethod, _ access: AccessLevel) throws -> Trial {
    let start = Date()
    var generator = SeededGenerator(
      seed: base.recipe.seed, for: "\(method.card.id) \(access.rawValue)")
    let (evidence, work) = try pair.measuring {
      try method.evidence(for: pair, on: text(access), using: &generator)
    }
    let seconds = Date().timeIntervalSince(start) + work.sharedSeconds
    let isInstalled = planted.certificate?.isInstalled ?? true
    return Trial(
      key: try Self.key(method, access, pair: pairDigest, sources: sourceDigest),
      method: method.card.id, access: access, subject: subject.id, family: family,
      regime: subject.regime, recipe: subject.recipe, seed: base.recipe.seed,
      role: subject.role, match: subject.match, isInstalled: isInstalled,
      answersWhether: method.card.questions.contains(.whether),
      magnitude: evidence.magnitude, evidence: evidence.digest(),
      scores: scores(evidence, isInstalled: isInstalled),
      cost: Trial.Cost(
        seconds: seconds, tokensForward: work.tokensForward, tokensBackward: work.tokensBackward,
        tokensShared: work.tokensShared, peakMemory: peakMemory()),
      provenance: Trial.Provenance(
        pair: pairDigest, sources: sourceDigest, openBLASCore: openBLASCore, kernels: kernelLevel))
  }

  private var family: String {
    if case .organism(let organism, _) = subject { organism.file.family } else { "null" }
  }

  private func scores(_ evidence: Evidence, isInstalled: Bool) -> [String: Score] {
    guard subject.role == .planted else { return [:] }
    return Scorers.all.reduce(into: [:]) { scores, scorer in
      scores[scorer.question.rawValue] =
        isInstalled
        ? scorer.init().score(evidence, against: key, in: context)
        : .unscored("the behaviour is not installed")
    }
  }

  private func text(_ access: AccessLevel) -> PromptPool {
    let rows: [[Int]] =
      switch access {
      case .weights, .sampling: []
      case .unrelated: prompts.unrelated
      case .pool: prompts.pool
      }
    return PromptPool(
      access: access, text: TokenBatch(rows),
      reference: TokenBatch(access == .pool ? prompts.unrelated : []),
      documentStart: library.world.documentStart, specialTokens: context.specialTokens)
  }
}
