internal import Diffing
internal import Foundation
internal import JSON
internal import Methods
internal import Scoring
internal import Tensors
internal import Transformers
internal import Worlds

/// Runs methods on one pair, and measures what their interventions do.
struct PairRun {
  let name: PairName
  let seeds: TrialSeeds
  private let digest: String
  private let prompts: WorldPrompts
  private let pair: ModelPair

  /// Opens a pair.
  ///
  /// - Parameters:
  ///   - planted: The models.
  ///   - digest: The digest of their weights.
  ///   - recordings: Those of the base, which pairs share.
  /// - Throws: `DiffingError`.
  init(
    _ name: PairName, seeds: TrialSeeds, base: any LanguageModel, finetuned: any LanguageModel,
    digest: String, prompts: WorldPrompts, recordings: BaseRecordings
  ) throws {
    self.name = name
    self.seeds = seeds
    self.digest = digest
    self.prompts = prompts
    pair = try ModelPair(
      base: base, finetuned: finetuned, baseRecordings: recordings.of(base),
      showsExhibits: prompts.showsExhibits)
  }

  /// Computes of the base what most methods ask of it at a level of access, before any method runs.
  ///
  /// The base and its text are the same for all its pairs, so this is work for the first of them alone.
  func recordBase(_ access: AccessLevel) throws {
    let prompts = prompts.set(access)
    for text in [prompts.text, prompts.reference] where text.count > 0 {
      _ = pair.activations(.base, at: .finalNorm, on: text)
    }
    if prompts.text.count > 0 { pair.recordBaseDictionary(prompts) }
    if access == .sampling { _ = pair.samples(.base, try .free(prompts)) }
  }

  /// Runs one method at one level of access.
  ///
  /// - Throws: `DiffingError` or `JSONError`.
  func evidence(_ method: any DiffingMethod, _ access: AccessLevel, key: String, sources: String)
    throws -> CellEvidence
  {
    let start = Date()
    var generator = SeededGenerator(
      seed: seeds.method, for: "\(method.card.id) \(access.rawValue)")
    var (evidence, work) = try pair.measuring {
      try method.evidence(for: pair, on: prompts.set(access), using: &generator)
    }
    evidence.tokens = evidence.tokens.map(Self.kept)
    let seconds = work.seconds(elapsed: Date().timeIntervalSince(start))
    return CellEvidence(
      key: key, cell: Cell(MethodAtAccess(method.card.id, access), name, seeds),
      hyperparameters: try JSON.value(of: method), evidence: evidence,
      cost: CellEvidence.Cost(
        seconds: seconds, tokensForward: work.tokensForward, tokensBackward: work.tokensBackward,
        tokensShared: work.tokensShared, peakMemory: peakMemory()),
      versions: CellEvidence.Versions(pair: digest, sources: sources))
  }

  /// The strongest claims of each sign: nobody reads on, and a large vocabulary has a hundred times as many.
  private static func kept(_ claims: [TokenClaim]) -> [TokenClaim] {
    guard claims.count > mostClaims else { return claims }
    var left = [1: mostClaims, -1: mostClaims]
    return claims.filter { claim in
      left[claim.sign, default: 0] -= 1
      return left[claim.sign, default: 0] >= 0
    }
  }

  private static let mostClaims = 4096

  /// What each prompt of the pool sets off.
  func gains(_ behavior: ProbeSet, targets: Set<Int>) -> AnswerGains {
    AnswerGains(
      pair, behavior: behavior, targets: targets, prompts: prompts.pool,
      specialTokens: prompts.specialTokens)
  }

  /// What measures interventions against a behaviour, and against all prompts that do not set it off.
  func meter(_ behavior: ProbeSet, labels: [Bool]) -> EffectMeter {
    EffectMeter(pair, prompts.effectTexts(behavior, labels), seed: seeds.method)
  }
}
