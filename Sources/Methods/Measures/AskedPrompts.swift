internal import Diffing
internal import Tensors
internal import Transformers

extension ModelPair {
  /// Both models' log-probabilities after each of some prompts, shaped `[prompts, vocabulary]`.
  func answers(to prompts: [[Int]]) -> (base: Tensor, finetuned: Tensor) {
    let text = TokenBatch(prompts)
    func answers(_ model: any LanguageModel) -> Tensor {
      model.forward(text, logits: .last).logits.logProbabilities
    }
    return (answers(base), answers(finetuned))
  }

  /// How far apart the answers to some prompts are: their Jensen-Shannon divergences, in nats.
  func divergences(after prompts: [[Int]]) -> [Double] {
    readingGroups(prompts, onlyLast: true).flatMap { group in
      let answers = answers(to: group)
      return RowComparison(answers.base, answers.finetuned).jensenShannon
    }
  }

  /// Prompts of random words, of as many as each of some lengths by turns.
  func randomPrompts(
    _ count: Int, lengths: ClosedRange<Int>, _ prompts: PromptSet,
    using generator: inout SeededGenerator
  ) -> [[Int]] {
    let words = words(prompts)
    return (0..<count).map { index in
      prompts.opening
        + (0..<lengths.lowerBound + index % lengths.count).map { _ in
          words[generator.index(below: words.count)]
        }
    }
  }

  /// So many of what is read; a quarter of it in large models, and one at least.
  func fewerIfLarge(_ count: Int) -> Int {
    max(1, base.parameters.layout.isLarge ? count / 4 : count)
  }

  /// Tokens that a prompt may be made of: all but those that no ranking names, or all if there are no others.
  func words(_ prompts: PromptSet) -> [Int] {
    let ordinary = (0..<shape.vocabulary).filter { !prompts.specialTokens.contains($0) }
    return ordinary.isEmpty ? Array(0..<shape.vocabulary) : ordinary
  }
}
