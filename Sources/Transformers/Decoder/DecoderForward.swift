internal import Tensors

extension DecoderModel {
  package func forward(
    _ batch: TokenBatch, recording sites: Set<ActivationSite>,
    editing interventions: [Intervention], logits selection: LogitSelection
  ) -> ForwardPass {
    let selected = selectedTokens(batch, selection)
    guard parameters.layout.isLarge else {
      return forward(
        ShardedBatch(batch, shards: shardCount(batch.count)), recording: sites,
        editing: interventions, selected: selected)
    }
    // All shards' logits at once, for each reading of the unembedding is work.
    let pass = forwardSharing(
      batch, recording: selected.isEmpty ? sites : sites.union([.finalNorm]),
      editing: interventions)
    guard !selected.isEmpty else { return pass }
    return ForwardPass(
      batch: batch, recordings: pass.recordings.filter { sites.contains($0.key) },
      logits: logits(ofNormed: pass[.finalNorm].rows(at: selected)))
  }

  /// A pass without logits, in which what all rows begin with is computed once if that saves much.
  private func forwardSharing(
    _ batch: TokenBatch, recording sites: Set<ActivationSite>, editing interventions: [Intervention]
  ) -> ForwardPass {
    guard let shared = sharedPrefix(batch, recording: sites, editing: interventions) else {
      return forward(
        ShardedBatch(batch, shards: shardCount(batch.count)), recording: sites,
        editing: interventions, selected: [])
    }
    let pass = forward(
      shared.read, recording: sites, editing: interventions.map(shared.compact), selected: [])
    return shared.expanded(pass, to: batch)
  }

  /// Nil where the rows are read whole: a recording of many sites would be in memory twice, and a pattern has a
  /// column for each token of a row.
  private func sharedPrefix(
    _ batch: TokenBatch, recording sites: Set<ActivationSite>, editing interventions: [Intervention]
  ) -> SharedPrefix? {
    let touched = sites.union(interventions.map(\.site))
    let hasPatterns = touched.contains { if case .pattern = $0 { true } else { false } }
    guard parameters.layout.isLarge, sites.count <= 4, !hasPatterns else { return nil }
    return SharedPrefix(batch, editing: interventions, shards: shardCount(batch.count))
  }

  private func forward(
    _ read: ShardedBatch, recording sites: Set<ActivationSite>,
    editing interventions: [Intervention], selected: [Int]
  ) -> ForwardPass {
    let recorded = Array(sites), batch = read.batch
    let widths = recorded.map { parts.width(of: $0, longestRow: batch.longestRow) }
    let shapes = widths.map { (rows: batch.count, columns: $0) }
    let filled = Tensor.filled(shapes + [(selected.count, parts.vocabulary)]) { windows in
      windows.dropLast().forEach { $0.fill(0) }
      let recordings = Dictionary(uniqueKeysWithValues: zip(recorded, windows))
      let hooks =
        recorded.isEmpty && interventions.isEmpty
        ? nil
        : SiteHooks(self.sites, batch: batch, recordings: recordings, editing: interventions)
      runShards(of: read, hooks, selected: selected, windows[recorded.count])
    }
    return ForwardPass(
      batch: batch, recordings: Dictionary(uniqueKeysWithValues: zip(recorded, filled)),
      logits: filled[recorded.count])
  }

  private func runShards(
    of read: ShardedBatch, _ hooks: SiteHooks?, selected: [Int], _ logits: Matrix
  ) {
    let weights = weights
    guard weights.areHeld else {
      return runBlockByBlock(
        read.shards.indices.map {
          ShardPass($0, of: read, parts, weights, hooks, Arena(), readsLogits: !selected.isEmpty)
        }, weights, selected: selected, logits)
    }
    Shards.forEach(read.shards.count) { shard in
      ArenaPool.shared.withArena { arena in
        let pass = ShardPass(
          shard, of: read, parts, weights, hooks, arena, readsLogits: !selected.isEmpty)
        pass.pass.run(pass.tokens)
        pass.readLogits(of: selected, into: logits)
      }
    }
  }

  /// Each shard reads all weights, so of large models few tokens are cut into few shards.
  func shardCount(_ tokens: Int) -> Int {
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
    let shared = sharedPrefix(batch, recording: sites, editing: starts)
    let read = shared?.read ?? ShardedBatch(batch, shards: shardCount(batch.count))
    let size = max(1, Self.tokensAtOnce / max(1, read.batch.count))
    return stride(from: 0, to: starts.count, by: size).flatMap { start -> [ForwardPass] in
      let group = starts[start..<min(start + size, starts.count)]
      guard let shared else { return forwardTogether(read, recording: Array(sites), from: group) }
      return forwardTogether(read, recording: Array(sites), from: group.map(shared.compact)[...])
        .map { shared.expanded($0, to: batch) }
    }
  }

  /// Tokens of all passes whose activations are in memory at once.
  private static var tokensAtOnce: Int { 1 << 11 }

  private func forwardTogether(
    _ read: ShardedBatch, recording recorded: [ActivationSite],
    from starts: ArraySlice<Intervention>
  ) -> [ForwardPass] {
    let weights = weights, batch = read.batch
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
        return read.shards.indices.map {
          ShardPass($0, of: read, parts, weights, hooks, Arena(), readsLogits: false)
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

  func selectedTokens(_ batch: TokenBatch, _ selection: LogitSelection) -> [Int] {
    switch selection {
    case .none: []
    case .all: Array(0..<batch.count)
    case .last: batch.lastIndices
    case .at(let indices): indices
    }
  }
}

/// One shard of a forward pass with its memory; only one thread works on a shard at a time.
struct ShardPass: @unchecked Sendable {
  private(set) var pass: DecoderPass
  let tokens: ArraySlice<Int>
  let arena: Arena

  /// - Parameters:
  ///   - hooks: What the pass records and edits.
  ///   - readsLogits: Whether all blocks are run for the logits.
  ///   - firstRetained: The first block whose gradient will follow; nil for none.
  init(
    _ shard: Int, of read: ShardedBatch, _ parts: DecoderParts,
    _ weights: DecoderModel.Weights, _ hooks: SiteHooks?, _ arena: Arena, readsLogits: Bool,
    retainingFrom firstRetained: Int? = nil
  ) {
    let range = read.tokens(shard), segments = read.segments(shard)
    self.arena = arena
    tokens = read.batch.tokens[range]
    var pass = DecoderPass(
      parts: parts, weights: weights, segments: segments,
      activations: DecoderActivations(
        parts, segments: segments, arena: arena, retainingFrom: firstRetained),
      hooks: hooks, tokenRange: range)
    pass.readsLogits = readsLogits
    self.pass = pass
  }

  /// The same pass, which records nothing any more.
  var withoutHooks: ShardPass {
    var copy = self
    copy.pass.hooks = nil
    return copy
  }

  /// Where among the selected tokens the shard's are.
  func own(_ selected: [Int]) -> [Int] {
    selected.indices.filter { pass.tokenRange.contains(selected[$0]) }
  }

  /// Reads the logits after those of the selected tokens that the shard holds.
  func readLogits(of selected: [Int], into logits: Matrix) {
    let range = pass.tokenRange
    let mine = own(selected)
    guard let first = mine.first, let last = mine.last else { return }
    let hidden = pass.activations.finalNormed
    let chosen =
      mine.count == range.count
      ? hidden : arena.gather(mine.map { selected[$0] - range.lowerBound }, of: hidden)
    pass.weights.readLogits(chosen, into: logits.rows(first..<last + 1))
  }
}
