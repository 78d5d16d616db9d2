internal import Tensors

extension DecoderModel {
  package func forward(
    _ batch: TokenBatch, recording sites: Set<ActivationSite>,
    editing interventions: [Intervention], logits selection: LogitSelection
  ) -> ForwardPass {
    let selected = selectedTokens(batch, selection)
    guard parameters.layout.isLarge, !selected.isEmpty else {
      return forward(batch, recording: sites, editing: interventions, selected: selected)
    }
    // All shards' logits at once, for each reading of the unembedding is work.
    let pass = forward(
      batch, recording: sites.union([.finalNorm]), editing: interventions, selected: [])
    return ForwardPass(
      batch: batch, recordings: pass.recordings.filter { sites.contains($0.key) },
      logits: logits(ofNormed: pass[.finalNorm].rows(at: selected)))
  }

  private func forward(
    _ batch: TokenBatch, recording sites: Set<ActivationSite>,
    editing interventions: [Intervention], selected: [Int]
  ) -> ForwardPass {
    let recorded = Array(sites)
    let widths = recorded.map { parts.width(of: $0, longestRow: batch.longestRow) }
    let shapes = widths.map { (rows: batch.count, columns: $0) }
    let filled = Tensor.filled(shapes + [(selected.count, parts.vocabulary)]) { windows in
      windows.dropLast().forEach { $0.fill(0) }
      let recordings = Dictionary(uniqueKeysWithValues: zip(recorded, windows))
      let hooks =
        recorded.isEmpty && interventions.isEmpty
        ? nil
        : SiteHooks(self.sites, batch: batch, recordings: recordings, editing: interventions)
      runShards(of: batch, hooks, selected: selected, windows[recorded.count])
    }
    return ForwardPass(
      batch: batch, recordings: Dictionary(uniqueKeysWithValues: zip(recorded, filled)),
      logits: filled[recorded.count])
  }

  private func runShards(
    of batch: TokenBatch, _ hooks: SiteHooks?, selected: [Int], _ logits: Matrix
  ) {
    let weights = weights
    let ranges = Shards.ranges(of: batch.rows, count: shardCount(batch.count))
    guard weights.areHeld else {
      return runBlockByBlock(
        ranges.filter { !$0.isEmpty }.map {
          ShardPass($0, of: batch, parts, weights, hooks, Arena(), readsLogits: !selected.isEmpty)
        }, weights, selected: selected, logits)
    }
    Shards.forEach(ranges.count) { shard in
      guard !ranges[shard].isEmpty else { return }
      ArenaPool.shared.withArena { arena in
        let pass = ShardPass(
          ranges[shard], of: batch, parts, weights, hooks, arena, readsLogits: !selected.isEmpty)
        pass.pass.run(pass.tokens)
        pass.readLogits(of: selected, into: logits)
      }
    }
  }

  /// Each shard reads all weights, so of large models few tokens are cut into few shards.
  private func shardCount(_ tokens: Int) -> Int {
    parameters.layout.isLarge ? min(Shards.count, max(2, tokens / 128)) : Shards.count
  }

  /// Runs a block in all shards before the next is formed, so that each is formed once.
  private func runBlockByBlock(
    _ passes: [ShardPass], _ weights: Weights, selected: [Int], _ logits: Matrix
  ) {
    Shards.forEach(passes.count) { passes[$0].pass.start(passes[$0].tokens) }
    for layer in 0..<parts.layers {
      let running = passes.filter { $0.pass.remainingLayers.contains(layer) }
      guard !running.isEmpty else { continue }
      let block = weights.block(layer)
      Shards.forEach(running.count) { running[$0].pass.run(layer, block) }
    }
    Shards.forEach(passes.count) {
      passes[$0].pass.finish()
      passes[$0].readLogits(of: selected, into: logits)
    }
  }

  package func forward(
    _ batch: TokenBatch, recording sites: Set<ActivationSite>, fromEach starts: [Intervention]
  ) -> [ForwardPass] {
    guard !weights.areHeld else {
      return starts.map { forward(batch, recording: sites, editing: [$0], logits: .none) }
    }
    let size = max(1, Self.tokensAtOnce / max(1, batch.count))
    return stride(from: 0, to: starts.count, by: size).flatMap { start in
      forwardTogether(
        batch, recording: Array(sites), from: starts[start..<min(start + size, starts.count)])
    }
  }

  /// Tokens of all passes whose activations are in memory at once.
  private static var tokensAtOnce: Int { 1 << 11 }

  private func forwardTogether(
    _ batch: TokenBatch, recording recorded: [ActivationSite], from starts: ArraySlice<Intervention>
  ) -> [ForwardPass] {
    let weights = weights
    let ranges = Shards.ranges(of: batch.rows, count: shardCount(batch.count)).filter {
      !$0.isEmpty
    }
    let shapes = recorded.map {
      (rows: batch.count, columns: parts.width(of: $0, longestRow: batch.longestRow))
    }
    let filled = Tensor.filled(starts.flatMap { _ in shapes }) { windows in
      windows.forEach { $0.fill(0) }
      let passes = starts.enumerated().flatMap { index, start -> [ShardPass] in
        let own = zip(recorded, windows.dropFirst(index * recorded.count))
        let hooks = SiteHooks(
          self.sites, batch: batch, recordings: Dictionary(uniqueKeysWithValues: own),
          editing: [start])
        return ranges.map {
          ShardPass($0, of: batch, parts, weights, hooks, Arena(), readsLogits: false)
        }
      }
      runBlockByBlock(passes, weights, selected: [], Matrix(rows: 0, columns: parts.vocabulary))
    }
    return starts.indices.map { index in
      let own = zip(recorded, filled.dropFirst((index - starts.startIndex) * recorded.count))
      return ForwardPass(
        batch: batch, recordings: Dictionary(uniqueKeysWithValues: own),
        logits: Tensor(shape: [0, parts.vocabulary]))
    }
  }

  private func selectedTokens(_ batch: TokenBatch, _ selection: LogitSelection) -> [Int] {
    switch selection {
    case .none: []
    case .all: Array(0..<batch.count)
    case .last: batch.lastIndices
    case .at(let indices): indices
    }
  }

  /// The rows of a shard as segments without a past, their tokens counted from the shard's first.
  static func segments(_ rows: Range<Int>, of batch: TokenBatch) -> [Segment] {
    let first = batch.starts[rows.lowerBound]
    return rows.filter { !batch.range($0).isEmpty }.map { row in
      let range = batch.range(row)
      return Segment(
        tokens: range.lowerBound - first..<range.upperBound - first, offset: 0, row: row)
    }
  }
}

/// One shard of a forward pass with its memory; only one thread works on a shard at a time.
private struct ShardPass: @unchecked Sendable {
  let pass: DecoderPass
  let tokens: ArraySlice<Int>
  private let arena: Arena

  init(
    _ rows: Range<Int>, of batch: TokenBatch, _ parts: DecoderParts,
    _ weights: DecoderModel.Weights, _ hooks: SiteHooks?, _ arena: Arena, readsLogits: Bool
  ) {
    let range = batch.range(rows: rows), segments = DecoderModel.segments(rows, of: batch)
    self.arena = arena
    tokens = batch.tokens[range]
    var pass = DecoderPass(
      parts: parts, weights: weights, segments: segments,
      activations: DecoderActivations(parts, segments: segments, arena: arena, retainingFrom: nil),
      hooks: hooks, tokenRange: range)
    pass.readsLogits = readsLogits
    self.pass = pass
  }

  /// Reads the logits after those of the selected tokens that the shard holds.
  func readLogits(of selected: [Int], into logits: Matrix) {
    let range = pass.tokenRange
    let mine = selected.indices.filter { range.contains(selected[$0]) }
    guard let first = mine.first, let last = mine.last else { return }
    let hidden = pass.activations.finalNormed
    let chosen =
      mine.count == range.count
      ? hidden : arena.gather(mine.map { selected[$0] - range.lowerBound }, of: hidden)
    pass.weights.readLogits(chosen, into: logits.rows(first..<last + 1))
  }
}
