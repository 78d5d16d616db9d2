internal import Transformers

/// Text on which nothing that was planted is due: what an intervention breaks shows there.
package struct OtherText: Sendable {
  /// Rows of running text that are read.
  private static let runningRows = 12
  /// Prompts that are answered.
  private static let prompts = 48
  /// The same of large models: they are read hundreds of times.
  private static let promptsOfLarge = 16

  let batch: TokenBatch
  /// The tokens after which answers are compared: in running text all but the start, of a prompt the last.
  let running, ends: [Int]
  /// All tokens but those that start a document: a model's first state is unlike all others.
  let counted: [Int]

  /// Chooses text.
  ///
  /// - Parameters:
  ///   - unrelated: Rows of running text.
  ///   - pool: Prompts.
  ///   - labels: Which of the prompts set the behaviour off.
  ///   - documentStart: The token that starts a document.
  ///   - isOfLarge: Whether large models read it.
  package init(
    unrelated: [[Int]], pool: [[Int]], labels: [Bool], documentStart: Int?, isOfLarge: Bool = false
  ) {
    let rows = Array(unrelated.prefix(Self.runningRows))
    let quiet = pool.indices.filter { !labels.indices.contains($0) || !labels[$0] }.map { pool[$0] }
    let count = min(isOfLarge ? Self.promptsOfLarge : Self.prompts, quiet.count)
    let chosen = (0..<count).map { quiet[$0 * quiet.count / count] }
    let batch = TokenBatch(rows + chosen)
    self.batch = batch
    let counted = batch.tokens.indices.filter { batch.tokens[$0] != documentStart }
    self.counted = counted
    let end = batch.starts[rows.count]
    running = counted.filter { $0 < end }
    ends = Array(batch.lastIndices.dropFirst(rows.count))
  }
}
