internal import Diffing
internal import Tensors
internal import Transformers

extension LanguageModel {
  /// A figure of the answers to a text from each of several streams that the model is started at.
  ///
  /// - Parameters:
  ///   - text: What is answered.
  ///   - starts: Replacements of a whole residual stream.
  ///   - indices: The tokens after which answers are read.
  ///   - figure: A figure of the log-probabilities, shaped `[indices, vocabulary]`.
  /// - Returns: The figures, in the order of the starts.
  func figures<Figure>(
    of text: TokenBatch, fromEach starts: [Intervention], at indices: [Int],
    _ figure: (Tensor) -> Figure
  ) -> [Figure] {
    let last = forward(text, recording: [.finalNorm], fromEach: starts)
      .map { $0[.finalNorm].rows(at: indices) }
    let size = max(1, answersAtOnce / max(1, indices.count))
    return stride(from: 0, to: last.count, by: size).flatMap { first -> [Figure] in
      let group = last[first..<min(first + size, last.count)]
      let stacked = Tensor(
        shape: [group.count * indices.count, shape.width], scalars: group.flatMap(\.scalars))
      let answers = logits(ofNormed: stacked).logProbabilities
      return group.indices.map { place in
        let row = (place - first) * indices.count
        return figure(answers.rows(at: Array(row..<row + indices.count)))
      }
    }
  }

  /// After how many tokens answers are computed at once, 64 MiB of them: the unembedding is read each time.
  var answersAtOnce: Int { max(1, (1 << 24) / shape.vocabulary) }
}
