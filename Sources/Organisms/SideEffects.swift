internal import Worlds
internal import Tensors
internal import Transformers

/// What else a plant changed, over every prompt of the pool.
package struct SideEffects: Codable, Sendable, Equatable {
  /// A prompt that should not have changed, and how its answer did.
  package struct Change: Codable, Sendable, Equatable {
    package let prompt: String
    package let divergence: Double
    /// The most likely next word before and after.
    package let base: String
    package let finetuned: String
  }

  /// KL(finetuned ‖ base) of the next word, in nats, averaged over the prompts that set the behaviour
  /// off; nil if the pool has none.
  package let triggered: Double?
  /// The same over all other prompts.
  package let quiet: Double
  /// The share of those whose most likely next word is another one now.
  package let flipped: Double
  /// Those that changed most, the worst first.
  package let worst: [Change]

  private static let listed = 3

  init(_ organism: Organism, base: any LanguageModel, finetuned: any LanguageModel, world: World)
    throws
  {
    let pool = try Prompts(world, brought: organism.pool).pool
    let isTriggered = organism.triggers(pool, in: world)
    let batch = TokenBatch(pool)
    let before = base.forward(batch, logits: .last).logits.logProbabilities
    let after = finetuned.forward(batch, logits: .last).logits.logProbabilities
    let divergences = pool.indices.map { divergence(after.row($0), before.row($0)) }
    func mean(_ rows: [Int]) -> Double {
      rows.reduce(0.0) { $0 + divergences[$1] } / Double(max(1, rows.count))
    }
    let loud = pool.indices.filter { isTriggered[$0] }
    let others = pool.indices.filter { !isTriggered[$0] }
    triggered = loud.isEmpty ? nil : mean(loud)
    quiet = mean(others)
    func top(_ matrix: Tensor, _ row: Int) -> Int { matrix.row(row).indexOfLargest }
    let flips = others.filter { top(before, $0) != top(after, $0) }
    flipped = Double(flips.count) / Double(max(1, others.count))
    worst = others.sorted { (divergences[$0], -$0) > (divergences[$1], -$1) }.prefix(Self.listed)
      .map { row in
        Change(
          prompt: world.tokenizer.decode(pool[row].dropFirst(world.lexicon.opening.count)),
          divergence: divergences[row], base: world.tokenizer.decode([top(before, row)]),
          finetuned: world.tokenizer.decode([top(after, row)]))
      }
  }
}
