internal import Dictionaries
internal import Diffing
internal import Tensors
internal import Transformers

/// Both models' streams after a block, at the tokens of a text that count: what dictionaries are learnt from.
struct CountedStreams {
  let layer: Int
  /// Shaped `[tokens, width]`.
  let base, finetuned, difference: Tensor
  /// The base's mean norm.
  let activationNorm: Float
  /// The tokens of each row of the text that has any, counted as rows of the streams.
  let documents: [[Int]]
  /// The tokens after which an answer is read, counted so too.
  let answers: [Int]
  /// Of each row of the text its last token that counts; nil of one without any.
  let last: [Int?]

  /// - Parameters:
  ///   - depth: After which block, as a share of the depth.
  ///   - method: Whose error it is if an activation is not finite.
  /// - Throws: `DiffingError.notFinite`.
  init(_ pair: ModelPair, _ prompts: PromptSet, depth: Double, method: String) throws(DiffingError)
  {
    try self.init(pair, prompts, layer: pair.shape.block(atDepth: depth), method: method)
  }

  /// The same after a block.
  init(_ pair: ModelPair, _ prompts: PromptSet, layer: Int, method: String) throws(DiffingError) {
    self.layer = layer
    let site = ActivationSite.residualPost(layer: layer), counted = prompts.countedTokens
    base = pair.activations(.base, at: site, on: prompts.text).rows(at: counted)
    finetuned = pair.activations(.finetuned, at: site, on: prompts.text).rows(at: counted)
    difference = finetuned - base
    activationNorm = base.rowNorms.mean
    guard sumOfSquares(Matrix(base)).isFinite, sumOfSquares(Matrix(finetuned)).isFinite else {
      throw .notFinite(method: method)
    }
    let sources = prompts.countedSources
    let byRow = Dictionary(grouping: sources.indices) { sources[$0].document }
    documents = (0..<prompts.text.rows).compactMap { byRow[$0] }
    last = (0..<prompts.text.rows).map { byRow[$0]?.last }
    let answered = Set(prompts.answerIndices)
    answers = counted.indices.filter { answered.contains(counted[$0]) }
  }

  var site: ActivationSite { .residualPost(layer: layer) }

  /// Whether the streams differ by more than rounding.
  var haveMoved: Bool { isSeen(difference) }

  /// Whether they differ otherwise at one token than at another: what is left of differences that are all alike is
  /// rounding, and latents of that mean nothing.
  var differencesVary: Bool { isSeen(difference.addingToRows(difference.meanRow, scaled: -1)) }

  private func isSeen(_ change: Tensor) -> Bool {
    change.rowNorms.mean > Decoding.rounding * max(activationNorm, .leastNormalMagnitude)
  }

  /// The base's beside the finetuned model's, shaped `[tokens, 2 · width]`.
  var sideBySide: Tensor {
    let width = base.columns
    return Tensor(rows: base.rows, columns: 2 * width) { result in
      result.columns(0..<width).copy(Matrix(base))
      result.columns(width..<2 * width).copy(Matrix(finetuned))
    }
  }
}
