internal import Diffing
internal import Files
internal import Organisms
internal import Scoring
internal import Tensors
internal import Transformers
internal import Worlds

/// The text that methods are given at each level of access: the same for every pair of a world.
struct WorldPrompts {
  /// The prompts of the pool, for answer keys.
  let pool: [[Int]]
  private let unrelated: [[Int]]
  private let world: World
  /// The digest of all text that a method can be given.
  let digest: String

  init(_ library: Library) throws {
    let prompts = try library.prompts()
    world = library.world
    pool = prompts.pool
    unrelated = prompts.unrelated
    var hash = ContentHash()
    hash.mix("\(prompts.pool) \(prompts.unrelated)")
    hash.mix("\(world.documentStart ?? -1) \(world.specialTokens.sorted())")
    digest = hash.text
  }

  /// On what the effects of interventions on a behaviour are measured.
  func effectTexts(_ behavior: ProbeSet, _ labels: [Bool]) -> EffectTexts {
    EffectTexts(
      behavior: behavior, unrelated: unrelated, pool: pool, labels: labels,
      documentStart: world.documentStart,
      isOfLarge: world.isOfText)
  }

  /// Whether methods make exhibits: of a large model they cost more than all answers, and `diff` makes them.
  var showsExhibits: Bool { !world.isOfText }

  var specialTokens: Set<Int> { world.specialTokens }

  /// The set of a level of access.
  func set(_ access: AccessLevel) -> PromptSet {
    let rows: [[Int]] =
      switch access {
      case .weights, .sampling: []
      case .unrelated: unrelated
      case .pool: pool
      }
    return PromptSet(
      access: access, text: TokenBatch(rows),
      reference: TokenBatch(access == .pool ? unrelated : []),
      documentStart: world.documentStart, specialTokens: specialTokens)
  }
}
