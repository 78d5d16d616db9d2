package import Diffing
package import Tensors
internal import Transformers

/// A method that looks at nothing but both models' answers to prompts, so that it works where there is no more than a server.
package protocol AnswerMethod: DiffingMethod {
  /// What is asked.
  var plan: AnswerPlan { get }

  /// What answers say.
  ///
  /// - Parameters:
  ///   - answers: What both models answered to the rows of the plan.
  ///   - generator: The only source of randomness.
  func evidence(of answers: PairedAnswers, using generator: inout SeededGenerator) -> Evidence
}

/// How many answers to how many prompts a method wants.
package struct AnswerPlan: Hashable, Sendable {
  /// Prompts at most, taken evenly; of each so many answers of a model, of so many tokens at most.
  package let prompts, answers, length: Int

  /// - Parameters:
  ///   - prompts: How many prompts at most.
  ///   - answers: How many answers of a model to each.
  ///   - length: How many tokens at most in each.
  package init(prompts: Int, answers: Int, length: Int) {
    (self.prompts, self.answers, self.length) = (prompts, answers, length)
  }

  /// The rows that are asked, of so many.
  package func rows(of count: Int) -> [Int] {
    let asked = min(prompts, count)
    return (0..<asked).map { $0 * count / asked }
  }
}

/// What two models answered to the same prompts.
package struct PairedAnswers: Sendable {
  /// The rows that were asked, and their tokens.
  package let rows: [Int]
  package let prompts: [[Int]]
  /// Of each row every answer.
  package let base, finetuned: [[[Int]]]
  package let vocabulary: Int
  /// Tokens that no claim names.
  package let specialTokens: Set<Int>

  /// - Parameters:
  ///   - rows: The rows that were asked.
  ///   - prompts: Their tokens.
  ///   - base: Of each row every answer of the base.
  ///   - finetuned: As many of the finetuned model.
  ///   - vocabulary: How many tokens there are.
  ///   - specialTokens: Tokens that no claim names.
  package init(
    rows: [Int], prompts: [[Int]], base: [[[Int]]], finetuned: [[[Int]]], vocabulary: Int,
    specialTokens: Set<Int>
  ) {
    self.rows = rows
    self.prompts = prompts
    self.base = base
    self.finetuned = finetuned
    self.vocabulary = vocabulary
    self.specialTokens = specialTokens
  }
}

extension PairedAnswers {
  /// What two models at hand answered.
  ///
  /// - Parameters:
  ///   - pair: The models.
  ///   - prompts: The text that was asked from.
  ///   - rows: The rows that were asked.
  ///   - base: Of each row every answer of the base.
  ///   - finetuned: As many of the finetuned model.
  init(
    of pair: ModelPair, _ prompts: PromptSet, rows: [Int], base: [[[Int]]], finetuned: [[[Int]]]
  ) {
    self.init(
      rows: rows, prompts: rows.map { Array(prompts.text.row($0)) }, base: base,
      finetuned: finetuned, vocabulary: pair.shape.vocabulary,
      specialTokens: prompts.specialTokens)
  }
}

extension AnswerPlan {
  /// Asks one model.
  ///
  /// - Returns: Of each row every answer.
  func answers(
    of pair: ModelPair, _ side: ModelPair.Side, to prompts: [[Int]], seed: UInt64
  ) -> [[[Int]]] {
    let asked = prompts.flatMap { Array(repeating: $0, count: answers) }
    let all = pair.samples(
      side, SampleRequest(continuing: asked, length: length, seed: seed))
    return prompts.indices.map { Array(all[$0 * answers..<($0 + 1) * answers]) }
  }
}
