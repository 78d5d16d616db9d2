package import Diffing
package import Tensors
internal import Transformers

/// Draws text from an exaggerated finetuned model: log p_f + α (log p_f − log p_b), token by token.
package struct ContrastiveDecoder: Sendable {
  /// Which tokens may be drawn: without a mask, a large α draws tokens that are junk to both models.
  package enum Mask: Sendable {
    case none
    /// Tokens that the finetuned model gives at least this share of its largest probability
    /// (Li et al., 2022, arXiv 2210.15097).
    case plausible(Float)
    /// The finetuned model's first tokens.
    case first(Int)
  }

  /// Texts, and what each of their tokens is worth to the finetuned model beside the base.
  package struct Result: Sendable {
    /// What was added to each prompt.
    package let texts: [[Int]]
    /// log p_f − log p_b of each added token, in nats.
    package let gaps: [[Float]]

    /// The mean gap of each text; 0 for an empty one.
    package var meanGaps: [Float] { gaps.map { $0.mean } }

    /// Nats that the finetuned model gives each token more than the base, over all places it is said.
    package func tokenWorth(vocabulary: Int) -> [Float] {
      var worth = [Float](repeating: 0, count: vocabulary)
      for (text, gaps) in zip(texts, gaps) {
        for (token, gap) in zip(text, gaps) { worth[token] += gap }
      }
      return worth
    }
  }

  private let base: any LanguageModel
  /// Nil if the base stands for it.
  private let finetuned: (any LanguageModel)?
  /// α; 0 draws from the finetuned model as it is.
  private let amplification: Float
  private let mask: Mask

  package init(pair: ModelPair, amplification: Float, mask: Mask) {
    base = pair.base
    finetuned = pair.finetuned
    self.amplification = amplification
    self.mask = mask
  }

  /// Draws from the base alone, through a mask: what exaggerated texts are compared with.
  package init(baseOf pair: ModelPair, mask: Mask) {
    base = pair.base
    finetuned = nil
    amplification = 0
    self.mask = mask
  }

  /// Continues prompts.
  ///
  /// - Parameters:
  ///   - prompts: Rows of tokens, none empty.
  ///   - count: Tokens to add to each.
  ///   - seed: Decides what is drawn.
  package func continuations(of prompts: [[Int]], count: Int, seed: UInt64) -> Result {
    let capacity = (prompts.map(\.count).max() ?? 0) + count
    let baseDecoder = base.makeDecoder(rows: prompts.count, capacity: capacity)
    let finetunedDecoder = finetuned?.makeDecoder(rows: prompts.count, capacity: capacity)
    var sampler = TokenSampler(seed: seed)
    var texts = prompts.map { _ in [Int]() }, gaps = prompts.map { _ in [Float]() }
    var next = prompts
    for _ in 0..<count {
      let base = baseDecoder.append(next).logProbabilities
      let finetuned = finetunedDecoder?.append(next).logProbabilities ?? base
      let drawn = sampler.draw(scores(base, finetuned))
      for (row, token) in drawn.enumerated() {
        texts[row].append(token)
        gaps[row].append(finetuned[row, token] - base[row, token])
      }
      next = drawn.map { [$0] }
    }
    return Result(texts: texts, gaps: gaps)
  }

  /// Logits of the exaggerated model, shaped `[rows, vocabulary]`; masked tokens are out of reach.
  package func scores(_ base: Tensor, _ finetuned: Tensor) -> Tensor {
    let change = (finetuned - base).scaled(by: amplification)
    var scores = finetuned + change
    for row in 0..<scores.rows {
      let limit = threshold(finetuned.row(row))
      for token in 0..<scores.columns where finetuned[row, token] < limit {
        scores[row, token] = -1e9
      }
    }
    return scores
  }

  /// The least log-probability under the finetuned model that may be drawn.
  private func threshold(_ row: ArraySlice<Float>) -> Float {
    switch mask {
    case .none: -.infinity
    case .plausible(let share): (row.max() ?? 0) + Float(logarithm(Double(share)))
    case .first(let count): BoostCounts.limits(row, depth: min(count, row.count)).high
    }
  }
}
