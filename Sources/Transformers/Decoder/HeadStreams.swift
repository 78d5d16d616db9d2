internal import Tensors

/// The residual stream as each head of a block reads it: copies side by side, for queries, for keys, for values.
///
/// An ordinary pass normalises the stream once and multiplies it by all heads' weights at once. Copies are made
/// where somebody records what single heads read, edits it, or asks for gradients by it: the edges of a circuit.
struct HeadStreams {
  /// Shaped `[tokens of the shard, (heads + 2 · keyHeads) · width]`, edited.
  private let streams: Matrix
  private let layer: Int
  private let parts: DecoderParts
  private let hooks: SiteHooks
  private let tokens: Range<Int>

  /// Copies and edits a stream; nil if nobody touches what the heads read.
  ///
  /// - Parameters:
  ///   - input: The stream, shaped `[tokens of the shard, width]`.
  ///   - tokens: Which tokens of the batch the rows are.
  init?(
    _ layer: Int, of input: Matrix, _ parts: DecoderParts, _ hooks: SiteHooks?, tokens: Range<Int>
  ) {
    guard let hooks, Self.sites(layer, parts).contains(where: { hooks.touches($0.site) }) else {
      return nil
    }
    self.layer = layer
    self.parts = parts
    self.hooks = hooks
    self.tokens = tokens
    streams = Matrix(undefinedRows: input.rows, columns: parts.readers * parts.width)
    for reader in 0..<parts.readers { streams.columns(parts.stream(of: reader)).copy(input) }
    forEachSite { hooks.edit($0, $1, tokens: tokens, headWidth: parts.width) }
  }

  /// Whether heads may read different streams.
  var areEdited: Bool { Self.sites(layer, parts).contains { hooks.edits($0.site) } }

  func record() { forEachSite { hooks.record($0, $1, tokens: tokens) } }

  /// Computes queries, keys and values, shaped `[tokens, jointWidth]`, without biases.
  func project(_ block: DecoderModel.Block, into joint: Matrix) {
    let normed = normed(block).output
    for reader in 0..<parts.readers {
      let outputs = parts.outputs(of: reader)
      block.joint.rows(outputs).apply(
        normed.columns(parts.stream(of: reader)), into: joint.columns(outputs))
    }
  }

  /// Goes back from the gradient of queries, keys and values to that of the stream, which it adds to.
  func addGradient(of joint: Matrix, _ block: DecoderModel.Block, to stream: Matrix) {
    let (normed, reciprocals) = normed(block)
    for reader in 0..<parts.readers {
      let outputs = parts.outputs(of: reader)
      block.joint.rows(outputs).applyTransposed(
        joint.columns(outputs), into: normed.columns(parts.stream(of: reader)))
    }
    if !areEdited { normGradient(normed) }
    var gradient = normed
    if let norm = block.attentionNorm {
      gradient = Matrix(rows: streams.rows, columns: streams.columns)
      parts.norms.addGradient(
        of: grouped(normed), norm, input: grouped(streams), reciprocals: reciprocals,
        to: grouped(gradient), nil)
    }
    for (site, columns) in Self.sites(layer, parts) {
      hooks.touchGradient(
        site, gradient.columns(columns), tokens: tokens, headWidth: parts.width)
    }
    for reader in 0..<parts.readers {
      addScaled(gradient.columns(parts.stream(of: reader)), to: stream)
    }
  }

  /// The gradient by the one normed stream that unedited heads read is the sum of theirs; what edits it, edits each.
  private func normGradient(_ normed: Matrix) {
    let site = ActivationSite.attentionNorm(layer: layer)
    guard hooks.touches(site) else { return }
    let sum = Matrix(rows: normed.rows, columns: parts.width)
    for reader in 0..<parts.readers {
      let window = normed.columns(parts.stream(of: reader))
      addScaled(window, to: sum)
      hooks.pullBack(site, window, tokens: tokens, headWidth: parts.headWidth)
    }
    hooks.record(site, sum, tokens: tokens)
  }

  /// The streams behind the attention's norm, each by itself, and what its gradient needs.
  private func normed(_ block: DecoderModel.Block) -> (output: Matrix, reciprocals: Matrix) {
    let output = Matrix(undefinedRows: streams.rows, columns: streams.columns)
    let reciprocals = Matrix(rows: 1, columns: streams.rows * parts.readers)
    if let norm = block.attentionNorm {
      parts.norms.apply(
        norm, to: grouped(streams), into: grouped(output), reciprocals: reciprocals)
    } else {
      output.copy(streams)
    }
    return (output, reciprocals)
  }

  private func grouped(_ matrix: Matrix) -> Matrix { matrix.regrouped(columns: parts.width) }

  private func forEachSite(_ body: (ActivationSite, Matrix) -> Void) {
    for (site, columns) in Self.sites(layer, parts) { body(site, streams.columns(columns)) }
  }

  private static func sites(
    _ layer: Int, _ parts: DecoderParts
  ) -> [(site: ActivationSite, columns: Range<Int>)] {
    let queries = parts.heads * parts.width, keys = parts.keyHeads * parts.width
    return [
      (.queryStream(layer: layer), 0..<queries),
      (.keyStream(layer: layer), queries..<queries + keys),
      (.valueStream(layer: layer), queries + keys..<queries + 2 * keys),
    ]
  }
}

extension DecoderParts {
  /// What reads the stream in an attention: the queries of each head, then keys, then values.
  fileprivate var readers: Int { heads + 2 * keyHeads }
  fileprivate func stream(of reader: Int) -> Range<Int> { reader * width..<(reader + 1) * width }
  fileprivate func outputs(of reader: Int) -> Range<Int> {
    reader * headWidth..<(reader + 1) * headWidth
  }
}

extension Matrix {
  /// The same numbers in memory of their own.
  var copied: Matrix {
    let copy = Matrix(undefinedRows: rows, columns: columns)
    copy.copy(self)
    return copy
  }
}
