internal import Tensors

/// A run of tokens of one row: in training a whole row, in generation what is appended to it.
struct Segment: Sendable {
  /// Tokens of the shard.
  let tokens: Range<Int>
  /// Tokens of the row that came before: cached, or those of `prefix`.
  let offset: Int
  /// The row of the cache, where there is one.
  let row: Int
  /// Tokens of the shard that the row has in front of its own; empty if they are cached, or there are none.
  var prefix = 0..<0

  /// Each token with its learned place; what is generated beyond the last of them takes that one.
  func places(of count: Int) -> [(token: Int, place: Int)] {
    tokens.enumerated().map { ($1, min(offset + $0, count - 1)) }
  }
}

/// Where one shard's activations are kept during a pass and until its gradient is done.
struct DecoderActivations {
  private let parts: DecoderParts
  struct Layer {
    let attentionNormed, joint, headOutput, mlpNormed, gateUp, mlpActivation: Matrix
    let attentionReciprocals, mlpReciprocals: Matrix
    /// What norms behind the branches and of queries and keys read; nil where there are none.
    let attentionBranch, mlpBranch, queries, keys: NormInput?
    /// One pattern a segment, each `AttentionShape.patternCount` long.
    let patterns: [Matrix]
  }

  /// What a norm read, and the reciprocals that its gradient needs.
  struct NormInput {
    let input, reciprocals: Matrix
  }

  /// The residual stream before each block's attention and before its MLP, and, last, at the end.
  let residuals: [Matrix]
  let layers: [Layer]
  /// For normalised queries or keys, `[tokens, queryWidth]`; empty without such norms.
  let heads: Matrix
  let branch, finalNormed, finalReciprocals: Matrix
  /// The angles of every kind of rotary positions, by token.
  private let angles: [RotaryPositions: RotaryAngles]
  /// The sizes of each segment's attention; see `shape(_:of:)`.
  private let shapes: [AttentionShape]
  let scratch: Matrix
  /// For keys and values of a prefix and of what follows it, `[tokens of a row, keyWidth]`; empty without prefixes.
  private let prefixedKeys, prefixedValues: Matrix

  /// Lays the activations of `segments` out in an arena.
  ///
  /// - Parameter firstRetained: The first block whose gradient will follow; those before it share memory. All do if
  ///   it is nil.
  init(
    _ parts: DecoderParts, segments: [Segment], arena: Arena, retainingFrom firstRetained: Int?
  ) {
    self.parts = parts
    let tokens = segments.last?.tokens.upperBound ?? 0
    let shapes = segments.map {
      AttentionShape(
        queries: $0.tokens.count, keys: $0.offset + $0.tokens.count, heads: parts.heads,
        keyHeads: parts.keyHeads, headWidth: parts.headWidth, cap: parts.attention.softCap)
    }
    func matrix(_ columns: Int) -> Matrix { arena.matrix(rows: tokens, columns: columns) }
    func normInput(_ columns: Int, groups: Int = 1) -> NormInput {
      NormInput(
        input: arena.matrix(rows: tokens, columns: columns),
        reciprocals: arena.matrix(rows: 1, columns: tokens * groups))
    }
    let norms = parts.norms, perHead = norms.ofQueriesAndKeys == .perHead
    func layer() -> Layer {
      Layer(
        attentionNormed: matrix(parts.width), joint: matrix(parts.jointWidth),
        headOutput: matrix(parts.queryWidth), mlpNormed: matrix(parts.width),
        gateUp: matrix(parts.mlpInputWidth), mlpActivation: matrix(parts.mlpWidth),
        attentionReciprocals: matrix(1), mlpReciprocals: matrix(1),
        attentionBranch: norms.areAfter ? normInput(parts.width) : nil,
        mlpBranch: norms.areAfter ? normInput(parts.width) : nil,
        queries: norms.ofQueriesAndKeys == nil
          ? nil : normInput(parts.queryWidth, groups: perHead ? parts.heads : 1),
        keys: norms.ofQueriesAndKeys == nil
          ? nil : normInput(parts.keyWidth, groups: perHead ? parts.keyHeads : 1),
        patterns: shapes.map { arena.matrix(rows: 1, columns: $0.patternCount) })
    }
    let count = parts.layers, first = firstRetained ?? count
    layers =
      (first > 0 && count > 0 ? Array(repeating: layer(), count: first) : [])
      + (first..<count).map { _ in layer() }
    // Stream 2 l is what block l reads.
    let shared = firstRetained.map { 2 * $0 } ?? 2 * count + 1
    residuals =
      (shared > 0 ? Array(repeating: matrix(parts.width), count: shared) : [])
      + (shared..<2 * count + 1).map { _ in matrix(parts.width) }
    heads = matrix(norms.ofQueriesAndKeys == nil ? 0 : max(parts.queryWidth, parts.keyWidth))
    branch = matrix(parts.width)
    finalNormed = matrix(parts.width)
    finalReciprocals = matrix(1)
    scratch = arena.matrix(rows: 1, columns: shapes.map(\.scratchCount).max() ?? 0)
    self.shapes = shapes
    let longest = segments.filter { !$0.prefix.isEmpty }.map { $0.offset + $0.tokens.count }.max()
    prefixedKeys = arena.matrix(rows: longest ?? 0, columns: parts.keyWidth)
    prefixedValues = arena.matrix(rows: longest ?? 0, columns: parts.keyWidth)
    let pairs = parts.rotaryPairs
    angles = Dictionary(
      uniqueKeysWithValues: parts.attention.rotaries.map { rotary in
        let window = RotaryAngles(cosines: matrix(pairs), sines: matrix(pairs))
        window.fill(segments, rotary)
        return (rotary, window)
      })
  }

  /// The sizes of a segment's attention in a block.
  func shape(_ layer: Int, segment: Int) -> AttentionShape {
    var shape = shapes[segment]
    shape.window = parts.attention.reach(layer: layer).window
    shape.scale = parts.attention.scale(layer: layer, headWidth: parts.headWidth)
    return shape
  }

  /// The keys and values that a segment's queries see, from those of the shard; valid until the next segment's are asked for.
  func seen(_ keys: Matrix, _ values: Matrix, by segment: Segment) -> (keys: Matrix, values: Matrix)
  {
    guard !segment.prefix.isEmpty else {
      return (keys.rows(segment.tokens), values.rows(segment.tokens))
    }
    func joined(_ source: Matrix, in memory: Matrix) -> Matrix {
      let end = segment.offset + segment.tokens.count
      memory.rows(0..<segment.offset).copy(source.rows(segment.prefix))
      memory.rows(segment.offset..<end).copy(source.rows(segment.tokens))
      return memory.rows(0..<end)
    }
    return (joined(keys, in: prefixedKeys), joined(values, in: prefixedValues))
  }

  /// The angles of a block's positions; nil if it rotates nothing.
  func angles(_ reach: AttentionParts.Reach) -> RotaryAngles? {
    reach.rotary.flatMap { angles[$0] }
  }
}

extension RotaryAngles {
  /// The angles of each token of some segments.
  fileprivate func fill(_ segments: [Segment], _ rotary: RotaryPositions) {
    let length = segments.map { $0.offset + $0.tokens.count }.max() ?? 0
    let table = RotaryAngles.table(positions: length, pairs: cosines.columns, rotary)
    for segment in segments {
      let positions = segment.offset..<segment.offset + segment.tokens.count
      cosines.rows(segment.tokens).copy(table.cosines.rows(positions))
      sines.rows(segment.tokens).copy(table.sines.rows(positions))
    }
  }
}
