internal import Transformers
package import Worlds

/// What models are asked while an intervention is in them: the behaviour, and text on which it is not due, where what
/// the intervention breaks shows.
package struct EffectTexts: Sendable {
  /// How much is read.
  private struct Amount {
    /// Questions about the behaviour; nil for all there are.
    let questions: Int?
    /// Rows of running text.
    let rows: Int
    /// Prompts that are answered.
    let prompts: Int

    static let usual = Amount(questions: nil, rows: 12, prompts: 48)
    /// Of large models, which are read hundreds of times.
    static let large = Amount(questions: 12, rows: 4, prompts: 8)
  }

  /// Questions about the behaviour.
  let behavior: ProbeSet
  /// Running text, and prompts: apart, since prompts begin alike, and what they share is computed once.
  let running, prompts: TokenBatch
  /// All tokens of each but those that start a document: a model's first state is unlike all others.
  ///
  /// After those of running text answers are compared, and after a prompt's last.
  let runningCounted, promptsCounted: [Int]

  /// Chooses texts.
  ///
  /// - Parameters:
  ///   - behavior: What was planted; methods never see it.
  ///   - unrelated: Rows of running text.
  ///   - pool: Prompts.
  ///   - labels: Which of the prompts set the behaviour off.
  ///   - documentStart: The token that starts a document.
  ///   - isOfLarge: Whether large models read them.
  package init(
    behavior: ProbeSet, unrelated: [[Int]], pool: [[Int]], labels: [Bool], documentStart: Int?,
    isOfLarge: Bool = false
  ) {
    let amount = isOfLarge ? Amount.large : .usual
    let quiet = pool.indices.filter { !labels.indices.contains($0) || !labels[$0] }.map { pool[$0] }
    func counted(_ batch: TokenBatch) -> [Int] {
      batch.tokens.indices.filter { batch.tokens[$0] != documentStart }
    }
    self.behavior = amount.questions.map(behavior.thinned) ?? behavior
    running = TokenBatch(Array(unrelated.prefix(amount.rows)))
    prompts = TokenBatch(quiet.spread(amount.prompts))
    runningCounted = counted(running)
    promptsCounted = counted(prompts)
  }
}

extension ProbeSet {
  /// About some number of the questions, of each probe as large a share, and of each probe one at least.
  fileprivate func thinned(to count: Int) -> ProbeSet {
    let all = questions.reduce(0) { $0 + $1.count }
    return ProbeSet(questions.map { $0.spread(max(1, $0.count * count / max(all, 1))) })
  }
}

extension Array {
  /// Up to some number of the elements, evenly spread.
  fileprivate func spread(_ most: Int) -> Self {
    let count = Swift.min(most, self.count)
    return (0..<count).map { self[$0 * self.count / count] }
  }
}
