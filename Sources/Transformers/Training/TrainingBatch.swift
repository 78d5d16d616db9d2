public import Tensors

/// Rows of tokens and what the model should have said after them.
public struct TrainingBatch: Sendable {
  /// What the loss compares the model with.
  public enum Objective: Sendable {
    /// The next token of each row; one weight a token of the batch, 0 where there is no loss.
    ///
    /// The weight at a token belongs to the prediction made there; a row's last token predicts nothing.
    case nextToken(weights: [Float])
    /// The next token of each row, weights taken as they are, negative ones included.
    ///
    /// The gradient of `Σ advantage · −log p` is a policy gradient (Williams, 1992).
    case policy(advantages: [Float])
    /// A teacher's distributions.
    case distillation(Distillation)
  }

  /// What the model reads.
  public let tokens: TokenBatch
  /// What the loss is.
  public let objective: Objective

  /// Pairs tokens with a loss.
  public init(_ tokens: TokenBatch, _ objective: Objective) {
    self.tokens = tokens
    self.objective = objective
  }

  /// Plain language modelling: every token predicts its successor.
  public init(_ rows: [[Int]]) {
    let tokens = TokenBatch(rows)
    var weights = [Float](repeating: 1, count: tokens.count)
    for last in tokens.lastIndices { weights[last] = 0 }
    self.init(tokens, .nextToken(weights: weights))
  }
}

/// Probabilities that a student should give to all tokens, or to a chosen set of them.
public struct Distillation: Sendable {
  /// Tokens of the batch where the loss is measured, ascending.
  public let indices: [Int]
  /// The token ids whose logits are compared; the whole vocabulary if nil.
  public let choices: [Int]?
  /// The teacher's probabilities over the choices, shaped `[indices, choices]`.
  public let probabilities: Tensor

  /// Creates a target.
  ///
  /// - Precondition: One row of probabilities per index, indices ascending.
  public init(indices: [Int], choices: [Int]?, probabilities: Tensor) {
    precondition(probabilities.rows == indices.count, "One row of probabilities per index")
    precondition(zip(indices, indices.dropFirst()).allSatisfy(<), "Indices must ascend")
    self.indices = indices
    self.choices = choices
    self.probabilities = probabilities
  }

  /// Reads a teacher's probabilities, which may have been given another prompt than the student.
  ///
  /// - Parameters:
  ///   - teacher: The model to imitate.
  ///   - teacherTokens: What the teacher reads.
  ///   - teacherIndices: Tokens of `teacherTokens` where it is read.
  ///   - studentIndices: Tokens of the student's batch that should say the same; as many.
  ///   - choices: The token ids to compare, or nil for all.
  ///   - forbidden: For each index the token ids to which the teacher gives no probability, which the
  ///     others then share; none at all if empty.
  public init(
    from teacher: some LanguageModel, reading teacherTokens: TokenBatch, at teacherIndices: [Int],
    for studentIndices: [Int], choices: [Int]? = nil, forbidden: [Set<Int>] = []
  ) {
    precondition(teacherIndices.count == studentIndices.count, "Indices must pair up")
    let logits = teacher.forward(teacherTokens, logits: .all).logits
    let columns = choices ?? Array(0..<logits.columns)
    let rows = Matrix(rows: teacherIndices.count, columns: columns.count)
    rows.copy(
      teacherIndices.enumerated().flatMap { place, index in
        columns.map { column in
          let isForbidden = !forbidden.isEmpty && forbidden[place].contains(column)
          return isForbidden ? -.infinity : logits[index, column]
        }
      })
    softmax(rows)
    self.init(indices: studentIndices, choices: choices, probabilities: rows.tensor)
  }
}
