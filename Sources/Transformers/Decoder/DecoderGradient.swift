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
  let gradients: DecoderModel.Weights
  let segments: [Segment]
  let activations: DecoderActivations
  let needs: GradientNeeds
  let arena: Arena

  /// Propagates the gradient of the final norm's output back to the embedding.
  func run(_ tokens: ArraySlice<Int>, finalGradient: Matrix) {
    let stream = arena.zeros(rows: tokens.count, columns: parts.width)
    parts.norms.addGradient(
      of: finalGradient, weights.finalNorm, input: activations.residuals[2 * parts.layers],
      reciprocals: activations.finalReciprocals, to: stream, gradients.finalNorm)
    let scratch = Scratch(parts, tokens: tokens.count, arena: arena)
    for layer in (0..<parts.layers).reversed() where layer >= needs.firstLayer {
      let output = scratch.outputGradient(stream)
      mlpBranchGradient(layer, output, stream, scratch)
      attentionBranchGradient(layer, output, stream, scratch)
    }
    if needs.embedding { embeddingGradient(tokens, stream) }
  }

  /// Back through h = s E[token] + P[place].
  private func embeddingGradient(_ tokens: ArraySlice<Int>, _ stream: Matrix) {
    for (row, token) in tokens.enumerated() {
      addScaled(
        stream.rows(row..<row + 1), by: parts.embeddingScale,
        to: gradients.embedding.rows(token..<token + 1))
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
    /// [T, d], of what a block adds, where its branches lie side by side.
    let added: Matrix
    /// [T, q], of normalised queries or keys, and of what their norm read.
    let normedHeads, heads: Matrix

    init(_ parts: DecoderParts, tokens: Int, arena: Arena) {
      normed = arena.matrix(rows: tokens, columns: parts.width)
      joint = arena.matrix(rows: tokens, columns: parts.jointWidth)
      headOutput = arena.matrix(rows: tokens, columns: parts.queryWidth)
      mlpActivation = arena.matrix(rows: tokens, columns: parts.mlpWidth)
      branch = arena.matrix(rows: tokens, columns: parts.norms.areAfter ? parts.width : 0)
      added = arena.matrix(rows: tokens, columns: parts.isParallel ? parts.width : 0)
      let isNormed = parts.norms.ofQueriesAndKeys != nil
      let width = isNormed ? max(parts.queryWidth, parts.keyWidth) : 0
      normedHeads = arena.matrix(rows: tokens, columns: width)
      heads = arena.matrix(rows: tokens, columns: width)
    }

    /// The gradient of what a block's branches add: that of the stream behind them.
    ///
    /// It is the stream's own, which a branch adds to only after it was read; of branches side by side the second
    /// would read what the first has added, so they get a copy.
    func outputGradient(_ stream: Matrix) -> Matrix {
      guard added.columns > 0 else { return stream }
      added.copy(stream)
      return added
    }
  }

  /// Back through h' = h + D(f(g) ⊙ u), with [g u] = norm(h) [G U]ᵀ; or h' = h + D f(u) if nothing gates.
  private func mlpBranchGradient(
    _ layer: Int, _ added: Matrix, _ stream: Matrix, _ scratch: Scratch
  ) {
    let block = weights.blocks[layer], into = gradients.blocks[layer]
    let memory = activations.layers[layer], needed = needs.blocks[layer]
    let output = branchGradient(
      added, block.mlpPostNorm, into.mlpPostNorm, memory.mlpBranch, scratch)
    // ∂D = ∂h'ᵀ a, [d, m], with a = f(g) ⊙ u, [T, m].
    if needed { addGradient(output, memory.mlpActivation, into.down, into.downBias) }
    multiply(output, block.down.weight, into: scratch.mlpActivation)  // ∂a = ∂h' D, [T, m]
    // ∂g = ∂a ⊙ u ⊙ f'(g) and ∂u = ∂a ⊙ f(g) take the place of g and u, which nobody needs again.
    parts.mlp.activation.gradient(
      of: scratch.mlpActivation, isGated: parts.mlp.isGated, replacing: memory.gateUp)
    if needed { addGradient(memory.gateUp, memory.mlpNormed, into.gateUp, into.gateUpBias) }
    multiply(memory.gateUp, block.gateUp.weight, into: scratch.normed)  // [T, 2m] [2m, d]
    inputGradient(
      scratch.normed, parts.mlpInput(layer), block.mlpNorm, into.mlpNorm, memory.mlpReciprocals,
      stream)
  }

  /// Adds ∂W = ∂yᵀ x and ∂b = Σ ∂y of a product y = xWᵀ + b.
  private func addGradient(
    _ output: Matrix, _ input: Matrix, _ map: LinearMap, _ bias: Matrix?
  ) {
    multiply(output, input, into: map.weight, transposingA: true, accumulating: true)
    if let bias { addSumOfRows(of: output, to: bias) }
  }

  /// Back through the norm of what a branch adds, if there is one: the gradient of what the norm read.
  private func branchGradient(
    _ added: Matrix, _ norm: NormWeights?, _ gradient: NormWeights?,
    _ memory: DecoderActivations.NormInput?, _ scratch: Scratch
  ) -> Matrix {
    guard let norm, let gradient, let memory else { return added }
    scratch.branch.fill(0)
    parts.norms.addGradient(
      of: added, norm, input: memory.input, reciprocals: memory.reciprocals, to: scratch.branch,
      gradient)
    return scratch.branch
  }

  /// Back through the norm of what a branch reads, if there is one, into the stream's gradient.
  private func inputGradient(
    _ normed: Matrix, _ index: Int, _ norm: NormWeights?, _ gradient: NormWeights?,
    _ reciprocals: Matrix, _ stream: Matrix
  ) {
    guard let norm, let gradient else { return addScaled(normed, to: stream) }
    parts.norms.addGradient(
      of: normed, norm, input: activations.residuals[index], reciprocals: reciprocals,
      to: stream, gradient)
  }

  /// Back through the norm of queries or keys, in place.
  private func headGradient(
    _ window: Matrix, _ norm: NormWeights?, _ gradient: NormWeights?,
    _ memory: DecoderActivations.NormInput?, _ scratch: Scratch
  ) {
    guard let norm, let gradient, let memory else { return }
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
    _ layer: Int, _ added: Matrix, _ stream: Matrix, _ scratch: Scratch
  ) {
    let block = weights.blocks[layer], into = gradients.blocks[layer]
    let memory = activations.layers[layer], needed = needs.blocks[layer]
    let output = branchGradient(
      added, block.attentionPostNorm, into.attentionPostNorm, memory.attentionBranch, scratch)
    if needed { addGradient(output, memory.headOutput, into.output, into.outputBias) }
    multiply(output, block.output.weight, into: scratch.headOutput)  // ∂(A v) = ∂h' O, [T, q]
    scratch.joint.fill(0)
    for index in segments.indices { mixGradient(layer, segment: index, scratch) }
    // A rotation's transpose is the rotation by the opposite angle.
    if let angles = activations.angles(parts.attention.reach(layer: layer)) {
      rotate(
        scratch.joint.columns(0..<parts.queryWidth + parts.keyWidth),
        headWidth: parts.headWidth, cosines: angles.cosines, sines: angles.sines, inverse: true)
    }
    headGradient(
      scratch.joint.columns(parts.queries), block.queryNorm, into.queryNorm, memory.queries, scratch
    )
    headGradient(
      scratch.joint.columns(parts.keys), block.keyNorm, into.keyNorm, memory.keys, scratch)
    if needed { addGradient(scratch.joint, memory.attentionNormed, into.joint, into.jointBias) }
    multiply(scratch.joint, block.joint.weight, into: scratch.normed)  // [T, q + 2k] [q + 2k, d]
    inputGradient(
      scratch.normed, 2 * layer, block.attentionNorm, into.attentionNorm,
      memory.attentionReciprocals, stream)
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

/// Which gradients somebody asked for, so that the others' matrix products are left out.
struct GradientNeeds: Sendable {
  let embedding, head: Bool
  let blocks: [Bool]

  init(_ model: DecoderModel, scope: Set<String>?) {
    func needs(_ name: String) -> Bool { scope?.contains(name) ?? true }
    let names = model.names
    embedding = needs(names.embedding) || names.positions.map(needs) == true
    head = needs(names.unembedding)
    blocks = names.blocks.map { $0.map(\.name).contains(where: needs) }
  }

  /// Below this block nothing is asked for.
  var firstLayer: Int { embedding ? 0 : blocks.firstIndex(of: true) ?? blocks.count }
}

/// Computes a decoder's gradients, one arena and one gradient buffer a shard.
final class DecoderGradientTape: GradientTape {
  private let parts: DecoderParts
  private let shards: [Shard]
  private var total: Parameters

  /// A shard's memory; only one thread works on a shard at a time.
  private final class Shard: @unchecked Sendable {
    let arena = Arena()
    var gradient: Parameters
    var loss = 0.0
    init(_ layout: ParameterLayout) { gradient = Parameters(layout: layout) }
  }

  init(_ parts: DecoderParts) {
    self.parts = parts
    let layout = parts.layout
    shards = (0..<Shards.count).map { _ in Shard(layout) }
    total = Parameters(layout: layout)
  }

  func lossAndGradient(
    of model: any LanguageModel, on batch: TrainingBatch, scope: Set<String>?
  ) -> (loss: Double, gradient: Parameters) {
    guard let model = model as? DecoderModel, model.parts == parts else {
      preconditionFailure("This tape was made for another model")
    }
    let needs = GradientNeeds(model, scope: scope)
    // The gradient is that of the sum, so the sum is what it is computed at.
    let weights = DecoderModel.Weights(model.parameters.merged, parts), shards = shards,
      parts = parts
    let loss = SharedLoss(batch)
    Shards.forEach { index in
      Self.run(
        shards[index], rows: Shards.ranges(of: batch.tokens.rows)[index], of: batch, loss, weights,
        parts, needs)
    }
    reduce()
    return (shards.reduce(0) { $0 + $1.loss }, total)
  }

  private static func run(
    _ shard: Shard, rows: Range<Int>, of batch: TrainingBatch, _ loss: SharedLoss,
    _ weights: DecoderModel.Weights, _ parts: DecoderParts, _ needs: GradientNeeds
  ) {
    shard.loss = 0
    shard.gradient.mutableFlat().fill(0)
    let range = batch.tokens.range(rows: rows)
    guard !range.isEmpty else { return }
    shard.arena.reset()
    let segments = DecoderModel.segments(rows, of: batch.tokens)
    let activations = DecoderActivations(
      parts, segments: segments, arena: shard.arena, retaining: true)
    let pass = DecoderPass(
      parts: parts, weights: weights, segments: segments, activations: activations)
    pass.run(batch.tokens.tokens[range])
    let gradients = DecoderModel.Weights(shard.gradient, parts)
    let finalGradient = shard.arena.zeros(rows: range.count, columns: parts.width)
    let head = HeadLoss(
      hidden: activations.finalNormed, hiddenGradient: finalGradient, head: weights.head,
      headGradient: needs.head ? gradients.head : nil, cap: parts.logitCap, arena: shard.arena)
    shard.loss = head.run(loss, tokens: range)
    let back = DecoderGradientPass(
      parts: parts, weights: weights, gradients: gradients, segments: segments,
      activations: activations, needs: needs, arena: shard.arena)
    back.run(batch.tokens.tokens[range], finalGradient: finalGradient)
  }

  /// Adds the shards' gradients in a fixed order.
  private func reduce() {
    let target = total.mutableFlat()
    let parts = shards.map(\.gradient.flat)
    Shards.forEach { piece in
      let columns = Shards.ranges(of: target.columns)[piece]
      let window = target.columns(columns)
      window.copy(parts[0].columns(columns))
      for part in parts.dropFirst() { addScaled(part.columns(columns), to: window) }
    }
  }
}

extension DecoderModel {
  package func makeGradientTape() -> any GradientTape { DecoderGradientTape(parts) }
}
