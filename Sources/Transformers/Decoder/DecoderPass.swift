internal import Tensors

/// One shard's forward computation.
struct DecoderPass {
  let parts: DecoderParts
  let weights: DecoderModel.Weights
  let segments: [Segment]
  let activations: DecoderActivations
  var hooks: SiteHooks?
  /// Which tokens of the batch the shard holds; for hooks.
  var tokenRange = 0..<0
  var cache: KeyValueCache?
  /// Whether logits are read; if not, nothing is computed behind the last site that is recorded.
  var readsLogits = true

  /// Computes the residual stream and its final norm.
  func run(_ tokens: ArraySlice<Int>) {
    start(tokens)
    for layer in remainingLayers { run(layer, weights.block(layer)) }
    finish()
  }

  /// The first block that nobody asks for anything from; none if logits or the final norm are wanted.
  private var endLayer: Int {
    readsLogits ? parts.layers : hooks?.blocksRun(of: parts.layers) ?? 0
  }

  /// Computes or takes the stream that the blocks start from.
  func start(_ tokens: ArraySlice<Int>) {
    if firstStream == 0 { embed(tokens) } else { enter(firstStream) }
  }

  /// The blocks that are computed.
  var remainingLayers: Range<Int> { firstStream / 2..<max(firstStream / 2, endLayer) }

  /// Computes a block.
  func run(_ layer: Int, _ block: DecoderModel.Block) {
    if firstStream <= 2 * layer { attentionBranch(layer, block) }
    mlpBranch(layer, block)
  }

  /// Computes the final norm, if the blocks before it were.
  func finish() {
    guard endLayer == parts.layers else { return }
    parts.norms.apply(
      weights.finalNorm, to: activations.residuals[2 * parts.layers],
      into: activations.finalNormed, reciprocals: activations.finalReciprocals)
    touch(.finalNorm, activations.finalNormed)
  }

  /// The stream to start at: a later one if an edit replaces it as a whole.
  ///
  /// Of branches side by side the MLP reads what came before the attention: there is no start between them.
  private var firstStream: Int {
    let first = hooks?.firstStream ?? 0
    return parts.isParallel && !first.isMultiple(of: 2) ? 0 : first
  }

  private func touch(_ site: ActivationSite, _ window: Matrix) {
    hooks?.touch(site, window, tokens: tokenRange, headWidth: parts.headWidth)
  }

  /// Starts at a later stream, which an edit replaces.
  private func enter(_ stream: Int) {
    let site: ActivationSite =
      stream.isMultiple(of: 2)
      ? .residualPost(layer: stream / 2 - 1) : .residualMid(layer: stream / 2)
    touch(site, activations.residuals[stream])
  }

  private func embed(_ tokens: ArraySlice<Int>) {
    let stream = activations.residuals[0]
    for (row, token) in tokens.enumerated() {
      precondition(
        token >= 0 && token < parts.vocabulary,
        "Token \(token) is outside the vocabulary of \(parts.vocabulary)")
      stream.rows(row..<row + 1).copy(weights.embedding(of: token))
    }
    stream.scale(by: parts.embeddingScale)
    addPositions(to: stream)
    touch(.embedding, stream)
  }

  private func addPositions(to stream: Matrix) {
    guard let positions = weights.positions else { return }
    for segment in segments {
      for (token, place) in segment.places(of: positions.rows) {
        addScaled(positions.rows(place..<place + 1), to: stream.rows(token..<token + 1))
      }
    }
  }

  private func attentionBranch(_ layer: Int, _ block: DecoderModel.Block) {
    let memory = activations.layers[layer]
    let input = activations.residuals[2 * layer]
    touch(.residualPre(layer: layer), input)
    if parts.isParallel { normaliseForMLP(layer, block) }
    project(layer, block, input, memory)
    if let bias = block.jointBias { addToRows(bias, of: memory.joint) }
    rotateAndTouch(layer, block, memory)
    mixValues(layer, memory)
    touch(.headOutput(layer: layer), memory.headOutput)
    addBranch(
      Branch(
        input: memory.headOutput, map: block.output, bias: block.outputBias,
        norm: block.attentionPostNorm, memory: memory.attentionBranch),
      to: 2 * layer, site: .attentionOutput(layer: layer))
    touch(.residualMid(layer: layer), activations.residuals[2 * layer + 1])
  }

  /// Queries, keys and values of the normed stream; where an edit tells the heads' streams apart, of each its own.
  private func project(
    _ layer: Int, _ block: DecoderModel.Block, _ input: Matrix, _ memory: DecoderActivations.Layer
  ) {
    let streams = HeadStreams(layer, of: input, parts, hooks, tokens: tokenRange)
    streams?.record()
    guard let streams, streams.areEdited else {
      normalise(
        input, block.attentionNorm, into: memory.attentionNormed, memory.attentionReciprocals)
      touch(.attentionNorm(layer: layer), memory.attentionNormed)
      return block.joint.apply(memory.attentionNormed, into: memory.joint)
    }
    streams.project(block, into: memory.joint)
  }

  /// A branch's norm of what it reads; without one it reads the stream as it is.
  private func normalise(
    _ input: Matrix, _ norm: NormWeights?, into output: Matrix, _ reciprocals: Matrix
  ) {
    guard let norm else { return output.copy(input) }
    parts.norms.apply(norm, to: input, into: output, reciprocals: reciprocals)
  }

  /// Before anything is added to the stream if both branches read it, for it may be added to in place.
  private func normaliseForMLP(_ layer: Int, _ block: DecoderModel.Block) {
    let memory = activations.layers[layer], site = ActivationSite.mlpStream(layer: layer)
    var input = activations.residuals[parts.mlpInput(layer)]
    if let hooks, hooks.touches(site) {
      input = input.copied
      touch(site, input)
    }
    normalise(input, block.mlpNorm, into: memory.mlpNormed, memory.mlpReciprocals)
  }

  private func rotateAndTouch(
    _ layer: Int, _ block: DecoderModel.Block, _ memory: DecoderActivations.Layer
  ) {
    let joint = memory.joint
    let queries = joint.columns(parts.queries)
    let keys = joint.columns(parts.keys)
    touch(.query(layer: layer), queries)
    touch(.key(layer: layer), keys)
    touch(.value(layer: layer), joint.columns(parts.values))
    normaliseHeads(queries, block.queryNorm, memory.queries)
    normaliseHeads(keys, block.keyNorm, memory.keys)
    if let angles = activations.angles(parts.attention.reach(layer: layer)) {
      rotate(
        joint.columns(0..<parts.queryWidth + parts.keyWidth),
        headWidth: parts.headWidth, cosines: angles.cosines, sines: angles.sines)
    }
    touch(.rotatedQuery(layer: layer), queries)
    touch(.rotatedKey(layer: layer), keys)
  }

  /// Normalises queries or keys in place, as many numbers at once as the gain has.
  private func normaliseHeads(
    _ window: Matrix, _ norm: NormWeights?, _ memory: DecoderActivations.NormInput?
  ) {
    guard let norm, let memory else { return }
    let columns = norm.gain.columns
    memory.input.copy(window)
    let output = activations.heads.reshaped(rows: window.rows, columns: window.columns)
    parts.norms.apply(
      norm, to: memory.input.regrouped(columns: columns),
      into: output.regrouped(columns: columns), reciprocals: memory.reciprocals)
    window.copy(output)
  }

  private func mixValues(_ layer: Int, _ memory: DecoderActivations.Layer) {
    let (joint, output, patterns) = (memory.joint, memory.headOutput, memory.patterns)
    let queries = joint.columns(parts.queries), keys = joint.columns(parts.keys)
    let values = joint.columns(parts.values)
    let hooks = hooks?.touches(.pattern(layer: layer)) == true ? hooks : nil
    for (index, segment) in segments.enumerated() {
      let tokens = segment.tokens
      var (keys, values) = activations.seen(keys, values, by: segment)
      if let cache { (keys, values) = cache.append(keys, values, layer: layer, segment: segment) }
      let shape = activations.shape(layer, segment: index), output = output.rows(tokens)
      attention(
        shape, queries: queries.rows(tokens), keys: keys, values: values,
        pattern: patterns[index], into: output, scratch: activations.scratch)
      guard let hooks else { continue }
      touchPattern(layer, segment: index, hooks: hooks)
      attentionMix(
        shape, values: values, pattern: patterns[index], into: output, scratch: activations.scratch)
    }
  }

  /// Hooks see a pattern as `[tokens, heads · longestRow]`; the kernel keeps it head by head.
  private func touchPattern(_ layer: Int, segment index: Int, hooks: SiteHooks) {
    let shape = activations.shape(layer, segment: index),
      pattern = activations.layers[layer].patterns[index]
    let longest = hooks.batch.longestRow, keys = shape.keys
    let window = Matrix(rows: shape.queries, columns: shape.heads * longest)
    func heads(_ body: (_ kernel: Matrix, _ hook: Matrix) -> Void) {
      for head in 0..<shape.heads {
        let start = pattern.offset + head * shape.queries * shape.patternStride
        let kernel = Matrix(
          pattern.buffer, offset: start, rows: shape.queries, columns: keys,
          stride: shape.patternStride)
        body(kernel, window.columns(head * longest..<head * longest + keys))
      }
    }
    heads { kernel, hook in hook.copy(kernel) }
    let tokens = segments[index].tokens
    let first = tokenRange.lowerBound
    let range = first + tokens.lowerBound..<first + tokens.upperBound
    hooks.touch(.pattern(layer: layer), window, tokens: range, headWidth: longest)
    heads { kernel, hook in kernel.copy(hook) }
  }

  private func mlpBranch(_ layer: Int, _ block: DecoderModel.Block) {
    let memory = activations.layers[layer]
    if !parts.isParallel { normaliseForMLP(layer, block) }
    touch(.mlpNorm(layer: layer), memory.mlpNormed)
    block.gateUp.apply(memory.mlpNormed, into: memory.gateUp)
    if let bias = block.gateUpBias { addToRows(bias, of: memory.gateUp) }
    touch(.mlpInput(layer: layer), memory.gateUp)
    parts.mlp.activation.apply(
      memory.gateUp, isGated: parts.mlp.isGated, into: memory.mlpActivation)
    touch(.mlpActivation(layer: layer), memory.mlpActivation)
    addBranch(
      Branch(
        input: memory.mlpActivation, map: block.down, bias: block.downBias,
        norm: block.mlpPostNorm, memory: memory.mlpBranch),
      to: 2 * layer + 1, site: .mlpOutput(layer: layer))
    touch(.residualPost(layer: layer), activations.residuals[2 * layer + 2])
  }

  /// What a branch adds to the stream: map(input) + bias, and maybe a norm of that.
  private struct Branch {
    let input: Matrix
    let map: LinearMap
    let bias: Matrix?
    let norm: NormWeights?
    let memory: DecoderActivations.NormInput?
  }

  /// Adds a branch to residual stream `index`, giving stream `index + 1`.
  private func addBranch(_ branch: Branch, to index: Int, site: ActivationSite) {
    let stream = activations.residuals[index], next = activations.residuals[index + 1]
    if next.buffer !== stream.buffer || next.offset != stream.offset { next.copy(stream) }
    guard branch.norm != nil || hooks?.touches(site) == true else {
      branch.map.apply(branch.input, into: next, accumulating: true)
      if let bias = branch.bias { addToRows(bias, of: next) }
      return
    }
    let output = activations.branch, raw = branch.memory?.input ?? output
    branch.map.apply(branch.input, into: raw)
    if let bias = branch.bias { addToRows(bias, of: raw) }
    if let norm = branch.norm, let memory = branch.memory {
      parts.norms.apply(norm, to: raw, into: output, reciprocals: memory.reciprocals)
    }
    touch(site, output)
    addScaled(output, to: next)
  }
}

extension DecoderParts {
  /// Where queries, keys and values lie in a joint row.
  var queries: Range<Int> { 0..<queryWidth }
  var keys: Range<Int> { queryWidth..<queryWidth + keyWidth }
  var values: Range<Int> { queryWidth + keyWidth..<jointWidth }
  /// The stream that a block's MLP reads.
  func mlpInput(_ layer: Int) -> Int { isParallel ? 2 * layer : 2 * layer + 1 }

  func width(of site: ActivationSite, longestRow: Int) -> Int {
    switch site {
    case .query, .rotatedQuery, .headOutput: queryWidth
    case .key, .value, .rotatedKey: keyWidth
    case .queryStream: heads * width
    case .keyStream, .valueStream: keyHeads * width
    case .pattern: heads * longestRow
    case .mlpInput: mlpInputWidth
    case .mlpActivation: mlpWidth
    default: width
    }
  }
}
