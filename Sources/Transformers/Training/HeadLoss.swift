internal import Tensors

/// An objective prepared for all shards: targets and weights by token.
struct SharedLoss: Sendable {
  enum Kind: Sendable {
    case nextToken(targets: [Int32], weights: [Float])
    case distillation(Distillation, Matrix)
  }

  let kind: Kind

  init(_ batch: TrainingBatch) {
    switch batch.objective {
    case .nextToken(let weights):
      let masked = Self.masked(weights, batch.tokens)
      let sum = masked.reduce(0.0) { $0 + Double($1) }
      kind = .nextToken(
        targets: Self.targets(batch.tokens),
        weights: masked.map { sum > 0 ? Float(Double($0) / sum) : 0 })
    case .policy(let advantages):
      kind = .nextToken(
        targets: Self.targets(batch.tokens), weights: Self.masked(advantages, batch.tokens))
    case .distillation(let distillation):
      kind = .distillation(distillation, Matrix(distillation.probabilities))
    }
  }

  private static func targets(_ tokens: TokenBatch) -> [Int32] {
    tokens.tokens.dropFirst().map(Int32.init) + [0]
  }

  /// Weights without those of rows' last tokens, which predict nothing.
  private static func masked(_ weights: [Float], _ tokens: TokenBatch) -> [Float] {
    precondition(weights.count == tokens.count, "One weight per token is needed")
    var masked = weights
    for last in tokens.lastIndices { masked[last] = 0 }
    return masked
  }
}

/// The unembedding, the loss and their gradients for one shard, a few rows of logits at a time.
struct HeadLoss {
  /// What the unembedding reads, shaped `[tokens, width]`.
  let hidden: Matrix
  /// Receives its gradient; zero before.
  let hiddenGradient: Matrix
  let head: Matrix
  let headGradient: Matrix?
  /// What caps the logits; see `DecoderParts.logitCap`.
  let cap: Float?
  let arena: Arena

  /// Logits computed at once, so that a large vocabulary needs no large memory: 16 MiB.
  private static let chunkScalars = 1 << 22

  /// Returns the loss of the shard whose tokens of the batch are `tokens`.
  func run(_ loss: SharedLoss, tokens: Range<Int>) -> Double {
    switch loss.kind {
    case .nextToken(let targets, let weights):
      nextToken(targets[tokens], weights[tokens])
    case .distillation(let distillation, let probabilities):
      distil(distillation, probabilities, tokens: tokens)
    }
  }

  /// The cross entropy of the next token, a few rows at a time.
  ///
  /// With z = x Hᵀ, [rows, vocabulary], and q = softmax(z), ∂z = w (q − e_target): `crossEntropy` leaves it in
  /// place of z. Then ∂x = ∂z H and ∂H += ∂zᵀ x. Rows of weight 0 have no loss and no gradient.
  private func nextToken(_ targets: ArraySlice<Int32>, _ weights: ArraySlice<Float>) -> Double {
    let size = max(1, Self.chunkScalars / head.rows)
    let logits = arena.matrix(rows: min(size, hidden.rows), columns: head.rows)
    let capped = cappedMemory(logits)
    guard hidden.rows > size else {
      return crossEntropyLoss(
        of: hidden, targets, weights, into: hiddenGradient, (logits, capped))
    }
    // Of many rows only those with a loss are worth the copy.
    let rows = weights.indices.filter { weights[$0] != 0 }
    return stride(from: 0, to: rows.count, by: size).reduce(0) { loss, start in
      let chunk = Array(rows[start..<min(start + size, rows.count)])
      let places = chunk.map { $0 - weights.startIndex }
      let input = arena.gather(places, of: hidden)
      let gradient = arena.matrix(rows: chunk.count, columns: hidden.columns)
      defer { scatter(gradient, to: places, of: hiddenGradient) }
      return loss
        + crossEntropyLoss(
          of: input, chunk.map { targets[$0] }[...], chunk.map { weights[$0] }[...],
          into: gradient, (logits.rows(0..<chunk.count), capped))
    }
  }

  /// The same of some rows at once.
  ///
  /// - Parameters:
  ///   - gradient: Receives that of the rows.
  ///   - memory: For their logits, and for what is behind their cap.
  private func crossEntropyLoss(
    of rows: Matrix, _ targets: ArraySlice<Int32>, _ weights: ArraySlice<Float>,
    into gradient: Matrix, _ memory: (logits: Matrix, capped: Matrix?)
  ) -> Double {
    guard weights.contains(where: { $0 != 0 }) else { return 0 }
    let logits = memory.logits
    multiply(rows, head, into: logits, transposingB: true)
    let loss = capping(logits, memory.capped) {
      crossEntropy(replacing: logits, targets: targets, weights: weights)
    }
    multiply(logits, head, into: gradient)
    if let headGradient {
      multiply(logits, rows, into: headGradient, transposingA: true, accumulating: true)
    }
    return loss
  }

  /// The divergence of some tokens' next-token distributions from a teacher's.
  ///
  /// With z = x Hᵀ over the chosen tokens, [n, c], q = softmax(z) and the teacher's p, the loss is
  /// Σ w KL(p ‖ q) and ∂z = w (q − p): `divergence` leaves it in place of z. Then ∂H = ∂zᵀ x, [c, d], scattered to
  /// the rows of the chosen tokens, and ∂x = ∂z H, [n, d], scattered to the places that were read.
  private func distil(
    _ distillation: Distillation, _ probabilities: Matrix, tokens: Range<Int>
  ) -> Double {
    let mine = distillation.indices.indices.filter { tokens.contains(distillation.indices[$0]) }
    guard let first = mine.first, let last = mine.last else { return 0 }
    let local = mine.map { distillation.indices[$0] - tokens.lowerBound }
    let choices = distillation.choices ?? Array(0..<head.rows)
    let chosenHead = distillation.choices == nil ? head : arena.gather(choices, of: head)
    let chosen = arena.gather(local, of: hidden)
    let logits = arena.matrix(rows: mine.count, columns: choices.count)
    multiply(chosen, chosenHead, into: logits, transposingB: true)
    let weight = 1 / Float(distillation.indices.count)
    let loss = capping(logits, cappedMemory(logits)) {
      divergence(
        replacing: logits, targets: probabilities.rows(first..<last + 1),
        weights: Array(repeating: weight, count: mine.count)[...])
    }
    if let headGradient {
      let gradient = arena.matrix(rows: choices.count, columns: head.columns)
      multiply(logits, chosen, into: gradient, transposingA: true)
      scatter(gradient, to: choices, of: headGradient)
    }
    multiply(logits, chosenHead, into: chosen)
    scatter(chosen, to: local, of: hiddenGradient)
    return loss
  }

  /// Memory for logits behind their cap, if they have one.
  private func cappedMemory(_ logits: Matrix) -> Matrix? {
    cap.map { _ in arena.matrix(rows: logits.rows, columns: logits.columns) }
  }

  /// A loss of capped logits.
  ///
  /// Of y = c tanh(z / c), ∂z = ∂y (1 − (y / c)²).
  ///
  /// - Parameter loss: Replaces the logits, capped by then, by its gradient.
  private func capping(_ logits: Matrix, _ memory: Matrix?, _ loss: () -> Double) -> Double {
    guard let cap, let kept = memory?.rows(0..<logits.rows) else { return loss() }
    softCap(logits, at: cap)
    kept.copy(logits)
    defer { softCapGradient(logits, capped: kept, at: cap) }
    return loss()
  }

  private func scatter(_ matrix: Matrix, to rows: [Int], of target: Matrix) {
    for (row, index) in rows.enumerated() {
      addScaled(matrix.rows(row..<row + 1), to: target.rows(index..<index + 1))
    }
  }
}
