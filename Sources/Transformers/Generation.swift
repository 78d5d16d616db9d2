public import Tensors

/// Chooses next tokens from logits.
public struct TokenSampler: Sendable {
  /// 0 takes the most likely token.
  public var temperature: Float
  /// The tokens to choose among; all if nil.
  public var choices: [Int]?
  private var generator: SeededGenerator

  /// Starts a stream of random numbers.
  public init(temperature: Float = 1, choices: [Int]? = nil, seed: UInt64) {
    self.temperature = temperature
    self.choices = choices
    generator = SeededGenerator(seed: seed, for: "sampling")
  }

  /// Draws one token from each row of logits, shaped `[rows, vocabulary]`.
  public mutating func draw(_ logits: Tensor) -> [Int] {
    guard let choices else { return drawAmongAll(logits) }
    let chosen = (0..<logits.rows).flatMap { row in choices.map { logits[row, $0] } }
    let columns = drawAmongAll(Tensor(shape: [logits.rows, choices.count], scalars: chosen))
    return columns.map { choices[$0] }
  }

  private mutating func drawAmongAll(_ logits: Tensor) -> [Int] {
    guard temperature > 0 else { return (0..<logits.rows).map { logits.row($0).indexOfLargest } }
    let probabilities = Matrix(temperature == 1 ? logits : logits.scaled(by: 1 / temperature))
    softmax(probabilities)
    return generator.columns(weights: probabilities)
  }
}

extension ArraySlice<Float> {
  /// The offset of the largest element; the first on a tie.
  public var indexOfLargest: Int {
    var best = startIndex
    for index in indices where self[index] > self[best] { best = index }
    return best - startIndex
  }
}

extension LanguageModel {
  /// Continues prompts token by token, keys and values cached.
  ///
  /// - Parameters:
  ///   - prompts: Rows of tokens, none empty.
  ///   - count: How many tokens to add to each.
  ///   - sampler: How a token is chosen; its generator moves on.
  /// - Returns: The added tokens, row by row.
  public func continuations(
    of prompts: [[Int]], count: Int, using sampler: inout TokenSampler
  ) -> [[Int]] {
    guard !prompts.isEmpty, count > 0 else { return prompts.map { _ in [] } }
    let longest = prompts.map(\.count).max() ?? 0
    let decoder = makeDecoder(rows: prompts.count, capacity: longest + count)
    var logits = decoder.append(prompts)
    var added = prompts.map { _ in [Int]() }
    for step in 0..<count {
      let tokens = sampler.draw(logits)
      for (row, token) in tokens.enumerated() { added[row].append(token) }
      if step + 1 < count { logits = decoder.append(tokens.map { [$0] }) }
    }
    return added
  }

  /// Probabilities of the next token after each row, shaped `[rows, vocabulary]`.
  public func nextTokenProbabilities(
    _ batch: TokenBatch, editing interventions: [Intervention] = []
  ) -> Tensor {
    let rows = Matrix(
      forward(batch, recording: [], editing: interventions, logits: .last).logits)
    softmax(rows)
    return rows.tensor
  }

  /// The mean next-token loss over all predictions of some rows, in nats.
  public func meanLoss(_ rows: [[Int]]) -> Double {
    let batch = TokenBatch(rows)
    let logits = Matrix(forward(batch, logits: .all).logits)
    logSoftmax(logits)
    var sum = 0.0
    var count = 0
    for row in 0..<batch.rows {
      for index in batch.range(row).dropLast() {
        sum -= Double(logits[index, batch.tokens[index + 1]])
        count += 1
      }
    }
    return count > 0 ? sum / Double(count) : 0
  }
}
