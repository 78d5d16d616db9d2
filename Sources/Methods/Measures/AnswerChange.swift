internal import Diffing
internal import Foundation
internal import Tensors
internal import Transformers

/// What finetuning did to the answers to a text, and how far other answers lie along it.
///
/// Log-probabilities, shaped `[answers, vocabulary]`. Recovery is a projection, so that the base's answers
/// are at 0, the finetuned model's at 1, and those of a random edit of any size near 0.
struct AnswerChange {
  let base: Tensor
  private let change: Tensor
  /// The squared size of the change; 0 if the models answer alike.
  private let size: Float

  init(base: Tensor, finetuned: Tensor) {
    self.base = base
    change = finetuned - base
    size = dot(change.scalars, change.scalars)
  }

  /// Whether the answers differ at all: shares of a change of rounding would be in the thousands.
  var isSeen: Bool { change.exceedsRounding }

  /// The finetuned model's answers.
  var finetuned: Tensor { base + change }

  /// Where answers lie between the base's, 0, and the finetuned model's, 1.
  func recovery(_ answers: Tensor) -> Float {
    size > 0 ? dot((answers - base).scalars, change.scalars) / size : 0
  }

  /// The recovery of logits, and its gradient by them.
  ///
  /// Of a row's log-probabilities z − ln Σ exp z with the change c, ∂⟨z, c⟩ / ∂z = c − softmax(z) Σ c.
  var recoveryFigure: LogitFigure {
    { logits in
      let answers = logits.logProbabilities
      guard size > 0 else { return (0, Tensor(shape: logits.shape)) }
      let rows = (0..<answers.rows).flatMap { row -> [Float] in
        let changes = change.row(row), sum = changes.reduce(0, +)
        return zip(answers.row(row), changes).map { ($1 - Float(exp(Double($0))) * sum) / size }
      }
      return (Double(recovery(answers)), Tensor(shape: logits.shape, scalars: rows))
    }
  }

  /// The mean divergence of answers from the base's, in nats.
  func divergence(of answers: Tensor) -> Double { rowDivergences(answers, base).mean }
}

extension PromptSet {
  /// The rows whose answers methods compare: those of a pool at which the models are furthest apart, the
  /// first ones of running text; at least one, and no more than may be read for each module.
  func answeredRows(_ count: Int, of pair: ModelPair) -> [Int] {
    let rows = access == .pool ? pair.byDivergence(text) : Array(0..<text.rows)
    var tokens = 0
    let chosen = rows.prefix(count).prefix { row in
      tokens += text.range(row).count
      return tokens <= limits.exchanged
    }
    return (chosen.isEmpty ? rows.prefix(1) : chosen).sorted()
  }

  /// The same text with some of its rows, to be read again for each module.
  func with(rows: [Int]) -> PromptSet {
    PromptSet(
      access: access, text: TokenBatch(rows.map { Array(text.row($0)) }), reference: reference,
      documentStart: documentStart, specialTokens: specialTokens, limits: limits.ofExchanges)
  }
}
