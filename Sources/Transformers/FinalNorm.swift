package import Tensors

extension LanguageModel {
  /// What a norm multiplies by: its gain, and what that was learned beside; shaped `[width]`.
  ///
  /// - Parameter name: The name of the gain.
  package func gain(_ name: String) -> Tensor {
    let stored = parameters[name], offset = shape.norms.gainOffset
    return offset == 0 ? stored : stored + Tensor(repeating: offset, shape: stored.shape)
  }

  /// Streams as the unembedding reads them, shaped `[rows, width]`.
  package func finalNorm(of streams: Tensor) -> Tensor {
    let normed = Matrix(rows: streams.rows, columns: streams.columns)
    shape.norms.apply(
      parameters.norm(names.finalNorm, bias: names.finalNormBias), to: Matrix(streams),
      into: normed, reciprocals: Matrix(rows: 1, columns: streams.rows))
    return normed.tensor
  }

  /// Logits of streams that the final norm has normed, shaped `[rows, vocabulary]`.
  package func logits(ofNormed streams: Tensor) -> Tensor {
    let logits = parameters.readout(Matrix(streams), through: names.unembedding)
    return shape.logitCap.map(logits.softCapped) ?? logits
  }

  /// Directions of the last stream as the unembedding reads them, but for their lengths, shaped `[rows, width]`.
  ///
  /// What a norm does to a direction whatever stands in the stream: a layer norm takes its mean away, and every norm
  /// multiplies it by its gain.
  package func throughFinalNorm(_ directions: Tensor) -> Tensor {
    let gain = gain(names.finalNorm)
    guard case .layer = shape.norms.kind else { return directions.scalingColumns(by: gain) }
    let centred = (0..<directions.rows).flatMap { index -> [Float] in
      let row = directions.row(index), mean = row.reduce(0, +) / Float(row.count)
      return row.map { $0 - mean }
    }
    return Tensor(shape: directions.shape, scalars: centred).scalingColumns(by: gain)
  }
}
