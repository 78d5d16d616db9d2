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

  /// Tokens that a prompt may be made of: all but those that no ranking names, or all if there are no others.
  func words(_ prompts: PromptSet) -> [Int] {
    let ordinary = (0..<shape.vocabulary).filter { !prompts.specialTokens.contains($0) }
    return ordinary.isEmpty ? Array(0..<shape.vocabulary) : ordinary
  }
}
