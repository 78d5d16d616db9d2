internal import Tensors

/// Rotated keys and values of every block and row, as far as they have been computed.
final class KeyValueCache {
  private let keys: [[Matrix]]
  private let values: [[Matrix]]

  init(_ parts: DecoderParts, rows: Int, capacity: Int) {
    func memory() -> [[Matrix]] {
      (0..<parts.layers).map { _ in
        (0..<rows).map { _ in Matrix(rows: capacity, columns: parts.keyWidth) }
      }
    }
    keys = memory()
    values = memory()
  }

  /// Stores new keys and values and returns all that a row has by now.
  func append(_ newKeys: Matrix, _ newValues: Matrix, layer: Int, segment: Segment)
    -> (Matrix, Matrix)
  {
    let end = segment.offset + segment.tokens.count
    let allKeys = keys[layer][segment.row], allValues = values[layer][segment.row]
    precondition(end <= allKeys.rows, "A row of \(end) tokens exceeds the cache of \(allKeys.rows)")
    allKeys.rows(segment.offset..<end).copy(newKeys)
    allValues.rows(segment.offset..<end).copy(newValues)
    return (allKeys.rows(0..<end), allValues.rows(0..<end))
  }

  /// Gives a row the first tokens of another.
  func copy(_ count: Int, from source: Int, to row: Int) {
    for memory in [keys, values] {
      for layer in memory { layer[row].rows(0..<count).copy(layer[source].rows(0..<count)) }
    }
  }
}

/// Continues rows with a decoder.
final class DecoderContinuation: CachedDecoder {
  private let vocabulary: Int
  private let shards: [Shard]

  init(_ model: DecoderModel, rows: Int, capacity: Int) {
    vocabulary = model.parts.vocabulary
    let weights = model.weights
    // A step reads all weights in each shard, which of large models is most of the work. What a row says does not
    // depend on how many there are.
    let count = model.parameters.layout.isLarge ? min(2, Shards.threads) : Shards.count
    shards = Shards.ranges(of: rows, count: count).filter { !$0.isEmpty }.map {
      Shard(model.parts, weights, rows: $0, capacity: capacity)
    }
  }

  func append(_ tokens: [[Int]]) -> Tensor {
    precondition(
      tokens.count == shards.last?.rows.upperBound ?? 0 && tokens.allSatisfy { !$0.isEmpty },
      "Each row needs at least one new token")
    let shards = shards
    return Tensor(rows: tokens.count, columns: vocabulary) { logits in
      Shards.forEach(shards.count) { index in
        let rows = shards[index].rows
        shards[index].append(Array(tokens[rows]), into: logits.rows(rows))
      }
    }
  }

  /// Some rows and their memory; only one thread works on a shard at a time.
  private final class Shard: @unchecked Sendable {
    let rows: Range<Int>
    private let parts: DecoderParts
    private let weights: DecoderModel.Weights
    private let cache: KeyValueCache
    private let arena = Arena()
    private var lengths: [Int]

    init(
      _ parts: DecoderParts, _ weights: DecoderModel.Weights, rows: Range<Int>, capacity: Int
    ) {
      self.rows = rows
      self.parts = parts
      self.weights = weights
      cache = KeyValueCache(parts, rows: rows.count, capacity: capacity)
      lengths = Array(repeating: 0, count: rows.count)
    }

    func append(_ tokens: [[Int]], into logits: Matrix) {
      let sources = lengths.allSatisfy { $0 == 0 } ? Self.firsts(tokens) : Array(tokens.indices)
      let rows = sources.indices.filter { sources[$0] == $0 }
      run(rows, tokens, into: logits)
      for (row, source) in sources.enumerated() where row != source {
        cache.copy(tokens[row].count, from: source, to: row)
        logits.rows(row..<row + 1).copy(logits.rows(source..<source + 1))
      }
      for (row, new) in tokens.enumerated() { lengths[row] += new.count }
    }

    /// For each row the first that is equal.
    private static func firsts(_ rows: [[Int]]) -> [Int] {
      var places: [[Int]: Int] = [:]
      return rows.enumerated().map { index, row in
        let first = places[row] ?? index
        places[row] = first
        return first
      }
    }

    /// Appends to some rows, and writes their logits to their places.
    private func run(_ rows: [Int], _ tokens: [[Int]], into logits: Matrix) {
      arena.reset()
      let batch = TokenBatch(rows.map { tokens[$0] })
      let segments = rows.enumerated().map { index, row in
        Segment(tokens: batch.range(index), offset: lengths[row], row: row)
      }
      let activations = DecoderActivations(
        parts, segments: segments, arena: arena, retainingFrom: nil)
      let pass = DecoderPass(
        parts: parts, weights: weights, segments: segments,
        activations: activations, cache: cache)
      pass.run(batch.tokens[...])
      let last = arena.gather(batch.lastIndices, of: activations.finalNormed)
      guard rows.count < tokens.count else { return weights.readLogits(last, into: logits) }
      let own = arena.matrix(rows: rows.count, columns: logits.columns)
      weights.readLogits(last, into: own)
      for (index, row) in rows.enumerated() {
        logits.rows(row..<row + 1).copy(own.rows(index..<index + 1))
      }
    }
  }
}

extension DecoderModel {
  package func makeDecoder(rows: Int, capacity: Int) -> any CachedDecoder {
    DecoderContinuation(self, rows: rows, capacity: capacity)
  }
}
