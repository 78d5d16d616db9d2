internal import Diffing
internal import Tensors
internal import Transformers

/// What the base answers when it is steered along one latent's direction, beside what finetuning did to its answers.
struct SteeredLatents {
  private let pair: ModelPair
  private let streams: CountedStreams
  private let prompts: PromptSet

  /// - Parameters:
  ///   - streams: Those that are steered.
  ///   - rows: How many rows of the text are read, those that finetuning changed most.
  init(_ pair: ModelPair, _ streams: CountedStreams, _ prompts: PromptSet, rows: Int) {
    self.pair = pair
    self.streams = streams
    self.prompts = prompts.with(rows: prompts.answeredRows(rows, of: pair))
  }

  /// Latents, and the cosine of what steering along each does to the base's answers and of what finetuning did.
  func likenesses(of latents: [Int], _ directions: Tensor) -> [(Int, Float)] {
    let indices = prompts.answerIndices, text = prompts.text
    func answers(_ side: ModelPair.Side) -> Tensor {
      pair.logits(side, on: text, at: indices).logProbabilities
    }
    let base = answers(.base), change = answers(.finetuned) - base
    guard change.exceedsRounding else { return [] }
    let recorded = RecordedStreams(pair.base, on: text)
    let starts = latents.map { latent in
      recorded.start(
        behind: streams.layer,
        adding: Tensor(Array(directions.row(latent))).unit
          .scaled(by: Decoding.steeringShare * streams.activationNorm),
        at: prompts.countedTokens)
    }
    return Array(
      zip(
        latents,
        recorded.figures(startingAt: starts, at: indices) { cosine($0 - base, change) }))
  }

  /// Those that do something like it, the likest first.
  static func order(_ likenesses: [(Int, Float)]) -> [Int] {
    likenesses.filter { $0.1 > 0 }.sorted { ($0.1, -$0.0) > ($1.1, -$1.0) }.map(\.0)
  }
}
