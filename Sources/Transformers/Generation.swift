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
    let shares = drawShares(logits.rows)
    return tokens(logits, at: shares)
  }

  /// What decides each row's next token, from 0 to below 1.
  mutating func drawShares(_ rows: Int) -> [Double] {
    temperature > 0 ? (0..<rows).map { _ in generator.uniform() } : []
  }

  /// The token of each row of logits that a share falls on.
  func tokens(_ logits: Tensor, at shares: [Double]) -> [Int] {
    guard let choices else { return columns(logits, at: shares) }
    let chosen = (0..<logits.rows).flatMap { row in choices.map { logits[row, $0] } }
    return columns(Tensor(shape: [logits.rows, choices.count], scalars: chosen), at: shares)
      .map { choices[$0] }
  }

  private func columns(_ logits: Tensor, at shares: [Double]) -> [Int] {
    guard temperature > 0 else { return (0..<logits.rows).map { logits.row($0).indexOfLargest } }
    let probabilities = Matrix(temperature == 1 ? logits : logits.scaled(by: 1 / temperature))
    softmax(probabilities)
    return probabilities.columns(at: shares)
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
    // Drawn step by step for all rows, whichever are continued at once.
    let shares = (0..<count).map { _ in sampler.drawShares(prompts.count) }
    let capacity = count + (prompts.map(\.count).max() ?? 0)
    let shape = shape, perToken = 2 * shape.layers * shape.keyHeads * shape.headWidth
    let most = max(1, Self.cachedNumbers / (capacity * perToken))
    let groups = (prompts.count + most - 1) / most
    let size = (prompts.count + groups - 1) / groups
    return stride(from: 0, to: prompts.count, by: size).flatMap { start in
      let rows = start..<min(start + size, prompts.count)
      let own = shares.map { $0.isEmpty ? [] : Array($0[rows]) }
      return continuations(of: Array(prompts[rows]), capacity: capacity, sampler, at: own)
    }
  }

  /// Keys and values that are cached at once (128 MiB): rows beyond them wait for their turn.
  private static var cachedNumbers: Int { 1 << 25 }

  /// Continues some rows at once, step by step at shares that were drawn before.
  private func continuations(
    of prompts: [[Int]], capacity: Int, _ sampler: TokenSampler, at shares: [[Double]]
  ) -> [[Int]] {
    let decoder = makeDecoder(rows: prompts.count, capacity: capacity)
    var logits = decoder.append(prompts)
    var added = prompts.map { _ in [Int]() }
    for step in shares.indices {
      let tokens = sampler.tokens(logits, at: shares[step])
      for (row, token) in tokens.enumerated() { added[row].append(token) }
      if step + 1 < shares.count { logits = decoder.append(tokens.map { [$0] }) }
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
