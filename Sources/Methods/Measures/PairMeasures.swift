internal import Diffing
internal import Tensors
internal import Transformers

extension ModelPair {
  /// KL(finetuned ‖ base) after each row of a text, in nats.
  func answerDivergences(on text: TokenBatch) -> [Double] {
    let last = text.lastIndices
    return rowDivergences(
      logProbabilities(.finetuned, on: text, at: last), logProbabilities(.base, on: text, at: last))
  }

  /// The rows of a recording that belong to some rows of its text.
  func recording(_ side: Side, _ site: ActivationSite, of text: TokenBatch, rows: [Int]) -> Tensor {
    activations(side, at: site, on: text).rows(at: rows.flatMap { Array(text.range($0)) })
  }
}
