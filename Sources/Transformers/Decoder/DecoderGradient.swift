internal import Tensors

/// One shard's backward computation, after a retaining `DecoderPass`.
///
/// ∂ below stands for the gradient of the loss with respect to what follows it; T is the shard's tokens, d the
/// width, q and k those of all queries and of all keys, m the MLP's. A branch adds to the stream, h' = h + f(h), so the
/// stream's gradient passes it unchanged and gains what comes back through the branch: ∂h = ∂h' + fᵀ'(∂h'). It
/// is one matrix, `stream`, that is added to in place, branch by branch. Of a product y = xWᵀ + b,
/// ∂W = ∂yᵀ x, ∂b = Σ ∂y over tokens, ∂x = ∂y W.
struct DecoderGradientPass {
  let parts: DecoderParts
  let weights: DecoderModel.Weights
  let gradients: DecoderGradients
  let segments: [Segment]
  let activations: DecoderActivations
  /// The first block below which nobody asks for a gradient.
  let firstLayer: Int
  let arena: Arena
  /// Whose recordings receive gradients, and whose edits the pass had.
  var hooks: SiteHooks?
  /// Which tokens of the batch the shard holds; for hooks.
  var tokenRange = 0..<0

  /// Propagates the gradient of the final norm's output back to the embedding.
  func run(_ tokens: ArraySlice<Int>, finalGradient: Matrix) {
    let stream = arena.zeros(rows: tokens.count, columns: parts.width)
    touch(.finalNorm, finalGradient)
    parts.norms.addGradient(
      of: finalGradient, weights.finalNorm, input: activations.residuals[2 * parts.layers],
      reciprocals: activations.finalReciprocals, to: stream, gradients.finalNorm)
    let scratch = Scratch(parts, tokens: tokens.count, arena: arena, hasHooks: hooks != nil)
    for layer in (0..<parts.layers).reversed() where layer >= firstLayer {
      blockGradient(layer, weights.block(layer), stream, scratch)
    }
    touch(.embedding, stream)
    if let embedding = gradients.embedding { embeddingGradient(tokens, stream, embedding) }
  }

  private func touch(_ site: ActivationSite, _ window: Matrix) {
    hooks?.touchGradient(site, window, tokens: tokenRange, headWidth: parts.headWidth)
  }

  /// Back through a block, in place.
  ///
  /// An MLP beside the attention reads what the attention reads, so its gradient waits until the stream's is there.
  private func blockGradient(
    _ layer: Int, _ block: DecoderModel.Block, _ stream: Matrix, _ scratch: Scratch
  ) {
    touch(.residualPost(layer: layer), stream)
    let input = parts.isParallel ? scratch.beside : stream
    if parts.isParallel { input.fill(0) }
    mlpBranchGradient(
      layer, block, added(stream, .mlpOutput(layer: layer), scratch), input, scratch)
    touch(.residualMid(layer: layer), stream)
    attentionBranchGradient(
      layer, block, added(stream, .attentionOutput(layer: layer), scratch), stream, scratch)
    if parts.isParallel { addScaled(input, to: stream) }
    touch(.residualPre(layer: layer), stream)
  }

  /// The gradient of what a branch adds: that of the stream behind it, which is added to only after it was read.
  private func added(_ stream: Matrix, _ site: ActivationSite, _ scratch: Scratch) -> Matrix {
    guard hooks?.touches(site) == true else { return stream }
    scratch.added.copy(stream)
    touch(site, scratch.added)
    return scratch.added
  }

  /// Back through h = s E[token] + P[place].
  private func embeddingGradient(
    _ tokens: ArraySlice<Int>, _ stream: Matrix, _ embedding: Matrix
  ) {
    for (row, token) in tokens.enumerated() {
      addScaled(
        stream.rows(row..<row + 1), by: parts.embeddingScale,
        to: embedding.rows(token..<token + 1))
    }
    guard let positions = gradients.positions else { return }
    for segment in segments {
      for (token, place) in segment.places(of: positions.rows) {
        addScaled(stream.rows(token..<token + 1), to: positions.rows(place..<place + 1))
      }
    }
  }

  /// Gradients of what lies inside a branch, reused from block to block.
  private struct Scratch {
    let normed: Matrix  // [T, d], of a branch's normed input
    let joint: Matrix  // [T, q + 2k], of queries, keys and values side by side
    let headOutput: Matrix  // [T, q], of what the heads found
    let mlpActivation: Matrix  // [T, m], of the gated neurons
    let branch: Matrix  // [T, d], of a branch's output before its norm
    /// [T, d], of what a branch adds, where somebody asks for it.
    let added: Matrix
    /// [T, d], of what the MLP reads, where it lies beside the attention.
    let beside: Matrix
    /// [T, q], of normalised queries or keys, and of what their norm read.
    let normedHeads, heads: Matrix

    init(_ parts: DecoderParts, tokens: Int, arena: Arena, hasHooks: Bool) {
      normed = arena.matrix(rows: tokens, columns: parts.width)
      joint = arena.matrix(rows: tokens, columns: parts.jointWidth)
      headOutput = arena.matrix(rows: tokens, columns: parts.queryWidth)
      mlpActivation = arena.matrix(rows: tokens, columns: parts.mlpWidth)
      branch = arena.matrix(rows: tokens, columns: parts.norms.areAfter ? parts.width : 0)
      added = arena.matrix(rows: tokens, columns: hasHooks ? parts.width : 0)
      beside = arena.matrix(rows: tokens, columns: parts.isParallel ? parts.width : 0)
      let isNormed = parts.norms.ofQueriesAndKeys != nil
      let width = isNormed ? max(parts.queryWidth, parts.keyWidth) : 0
      normedHeads = arena.matrix(rows: tokens, columns: width)
      heads = arena.matrix(rows: tokens, columns: width)
    }
  }

  /// Back through h' = h + D(f(g) ⊙ u), with [g u] = norm(h) [G U]ᵀ; or h' = h + D f(u) if nothing gates.
  private func mlpBranchGradient(
    _ layer: Int, _ block: DecoderModel.Block, _ added: Matrix, _ stream: Matrix,
    _ scratch: Scratch
  ) {
    let into = gradients.blocks[layer], memory = activations.layers[layer]
    let output = branchGradient(
      added, block.mlpPostNorm, into.mlpPostNorm, memory.mlpBranch, scratch)
    // ∂D = ∂h'ᵀ a, [d, m], with a = f(g) ⊙ u, [T, m].
    into.down.add(output, memory.mlpActivation, of: block.down)
    block.down.applyTransposed(output, into: scratch.mlpActivation)  // ∂a = ∂h' D, [T, m]
    touch(.mlpActivation(layer: layer), scratch.mlpActivation)
    // ∂g = ∂a ⊙ u ⊙ f'(g) and ∂u = ∂a ⊙ f(g) take the place of g and u, which nobody needs again.
    parts.mlp.activation.gradient(
      of: scratch.mlpActivation, isGated: parts.mlp.isGated, replacing: memory.gateUp)
    touch(.mlpInput(layer: layer), memory.gateUp)
    into.gateUp.add(memory.gateUp, memory.mlpNormed, of: block.gateUp)
    block.gateUp.applyTransposed(memory.gateUp, into: scratch.normed)  // [T, 2m] [2m, d]
    touch(.mlpNorm(layer: layer), scratch.normed)
    mlpInputGradient(layer, block, into.mlpNorm, stream, scratch)
  }

  /// Back through what the MLP reads, into the stream's gradient, by way of an edit of it if there is one.
  private func mlpInputGradient(
    _ layer: Int, _ block: DecoderModel.Block, _ gradient: NormWeights?, _ stream: Matrix,
    _ scratch: Scratch
  ) {
    let site = ActivationSite.mlpStream(layer: layer), memory = activations.layers[layer]
    let input = activations.residuals[parts.mlpInput(layer)]
    guard let hooks, hooks.touches(site) else {
      return inputGradient(
        scratch.normed, input, block.mlpNorm, gradient, memory.mlpReciprocals, stream)
    }
    let read = input.copied, readGradient = Matrix(rows: stream.rows, columns: stream.columns)
    hooks.edit(site, read, tokens: tokenRange, headWidth: parts.headWidth)
    inputGradient(
      scratch.normed, read, block.mlpNorm, gradient, memory.mlpReciprocals, readGradient)
    touch(site, readGradient)
    addScaled(readGradient, to: stream)
  }

  /// Back through the norm of what a branch adds, if there is one: the gradient of what the norm read.
  private func branchGradient(
    _ added: Matrix, _ norm: NormWeights?, _ gradient: NormWeights?,
    _ memory: DecoderActivations.NormInput?, _ scratch: Scratch
  ) -> Matrix {
    guard let norm, let memory else { return added }
    scratch.branch.fill(0)
    parts.norms.addGradient(
      of: added, norm, input: memory.input, reciprocals: memory.reciprocals, to: scratch.branch,
      gradient)
    return scratch.branch
  }

  /// Back through the norm of what a branch reads, if there is one, into the stream's gradient.
  private func inputGradient(
    _ normed: Matrix, _ input: Matrix, _ norm: NormWeights?, _ gradient: NormWeights?,
    _ reciprocals: Matrix, _ stream: Matrix
  ) {
    guard let norm else { return addScaled(normed, to: stream) }
    parts.norms.addGradient(
      of: normed, norm, input: input, reciprocals: reciprocals, to: stream, gradient)
  }

  /// Back through the norm of queries or keys, in place.
  private func headGradient(
    _ window: Matrix, _ norm: NormWeights?, _ gradient: NormWeights?,
    _ memory: DecoderActivations.NormInput?, _ scratch: Scratch
  ) {
    guard let norm, let memory else { return }
    func grouped(_ matrix: Matrix) -> Matrix { matrix.regrouped(columns: norm.gain.columns) }
    let normed = scratch.normedHeads.reshaped(rows: window.rows, columns: window.columns)
    let input = scratch.heads.reshaped(rows: window.rows, columns: window.columns)
    normed.copy(window)
    input.fill(0)
    parts.norms.addGradient(
      of: grouped(normed), norm, input: grouped(memory.input), reciprocals: memory.reciprocals,
      to: grouped(input), gradient)
    window.copy(input)
  }

  /// Back through h' = h + O(A v), with A = softmax(q kᵀ / √width) and [q k v] = norm(h) Wᵀ, q and k rotated.
  private func attentionBranchGradient(
    _ layer: Int, _ block: DecoderModel.Block, _ added: Matrix, _ stream: Matrix,
    _ scratch: Scratch
  ) {
    let into = gradients.blocks[layer], memory = activations.layers[layer]
    let output = branchGradient(
      added, block.attentionPostNorm, into.attentionPostNorm, memory.attentionBranch, scratch)
    into.output.add(output, memory.headOutput, of: block.output)
    block.output.applyTransposed(output, into: scratch.headOutput)  // ∂(A v) = ∂h' O, [T, q]
    touch(.headOutput(layer: layer), scratch.headOutput)
    scratch.joint.fill(0)
    for index in segments.indices { mixGradient(layer, segment: index, scratch) }
    let queries = scratch.joint.columns(parts.queries), keys = scratch.joint.columns(parts.keys)
    touch(.rotatedQuery(layer: layer), queries)
    touch(.rotatedKey(layer: layer), keys)
    // A rotation's transpose is the rotation by the opposite angle.
    if let angles = activations.angles(parts.attention.reach(layer: layer)) {
      rotate(
        scratch.joint.columns(0..<parts.queryWidth + parts.keyWidth),
        headWidth: parts.headWidth, cosines: angles.cosines, sines: angles.sines, inverse: true)
    }
    headGradient(queries, block.queryNorm, into.queryNorm, memory.queries, scratch)
    headGradient(keys, block.keyNorm, into.keyNorm, memory.keys, scratch)
    touch(.query(layer: layer), queries)
    touch(.key(layer: layer), keys)
    touch(.value(layer: layer), scratch.joint.columns(parts.values))
    into.joint.add(scratch.joint, memory.attentionNormed, of: block.joint)
    attentionInputGradient(layer, block, into.attentionNorm, stream, scratch)
  }

  /// Back through what the heads read, into the stream's gradient, of each by itself if somebody tells them apart.
  private func attentionInputGradient(
    _ layer: Int, _ block: DecoderModel.Block, _ gradient: NormWeights?, _ stream: Matrix,
    _ scratch: Scratch
  ) {
    let input = activations.residuals[2 * layer]
    if let streams = HeadStreams(layer, of: input, parts, hooks, tokens: tokenRange) {
      return streams.addGradient(of: scratch.joint, block, to: stream)
    }
    block.joint.applyTransposed(scratch.joint, into: scratch.normed)  // [T, q + 2k] [q + 2k, d]
    touch(.attentionNorm(layer: layer), scratch.normed)
    inputGradient(
      scratch.normed, input, block.attentionNorm, gradient,
      activations.layers[layer].attentionReciprocals, stream)
  }

  /// Back through the heads of one row of text, t tokens.
  ///
  /// Of each head, ∂v = Aᵀ ∂y; with S = q kᵀ / √width and ∂A = ∂y vᵀ, ∂S = A ⊙ (∂A − Σⱼ A ∂A), row by row;
  /// ∂q = ∂S k / √width and ∂k = ∂Sᵀ q / √width. Heads that share keys add up in ∂k and ∂v. A cap
  /// c tanh(S / c) of the scores has the slope 1 − tanh² between.
  private func mixGradient(_ layer: Int, segment index: Int, _ scratch: Scratch) {
    let tokens = segments[index].tokens, memory = activations.layers[layer]
    let rows = memory.joint.rows(tokens), gradient = scratch.joint.rows(tokens)
    attentionGradient(
      activations.shape(layer, segment: index), of: scratch.headOutput.rows(tokens),
      queries: rows.columns(parts.queries), keys: rows.columns(parts.keys),
      values: rows.columns(parts.values), pattern: memory.patterns[index],
      queryGradient: gradient.columns(parts.queries),
      keyGradient: gradient.columns(parts.keys),
      valueGradient: gradient.columns(parts.values), scratch: activations.scratch)
  }
}
