internal import Tensors

/// Rotated keys and values of every block and row, as far as they have been computed.
final class KeyValueCache {
  private let keys: [[Matrix]]
  private let values: [[Matrix]]

  init(_ configuration: LlamaConfiguration, rows: Int, capacity: Int) {
    func memory() -> [[Matrix]] {
      (0..<configuration.layers).map { _ in
        (0..<rows).map { _ in Matrix(rows: capacity, columns: configuration.keyWidth) }
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
}

/// Continues rows with a Llama.
final class LlamaDecoder: CachedDecoder {
  private let configuration: LlamaConfiguration
  private let weights: Llama.Weights
  private let cache: KeyValueCache
  private let arena = Arena()
  private var lengths: [Int]

  init(_ model: Llama, rows: Int, capacity: Int) {
    configuration = model.configuration
    weights = model.weights
    cache = KeyValueCache(model.configuration, rows: rows, capacity: capacity)
    lengths = Array(repeating: 0, count: rows)
  }

  func append(_ tokens: [[Int]]) -> Tensor {
    precondition(
      tokens.count == lengths.count && tokens.allSatisfy { !$0.isEmpty },
      "Each of the \(lengths.count) rows needs at least one new token")
    arena.reset()
    let batch = TokenBatch(tokens)
    let segments = tokens.indices.map {
      Segment(tokens: batch.range($0), offset: lengths[$0], row: $0)
    }
    let activations = LlamaActivations(
      configuration, segments: segments, arena: arena, retaining: false)
    let pass = LlamaPass(
      configuration: configuration, weights: weights, segments: segments,
      activations: activations, cache: cache)
    pass.run(batch.tokens[...])
    for (row, new) in tokens.enumerated() { lengths[row] += new.count }
    let last = arena.matrix(rows: tokens.count, columns: configuration.width)
    for (row, index) in batch.lastIndices.enumerated() {
      last.rows(row..<row + 1).copy(activations.finalNormed.rows(index..<index + 1))
    }
    let logits = Matrix(rows: tokens.count, columns: configuration.vocabulary)
    multiply(last, weights.head, into: logits, transposingB: true)
    return logits.tensor
  }
}

extension Llama {
  package func makeDecoder(rows: Int, capacity: Int) -> any CachedDecoder {
    LlamaDecoder(self, rows: rows, capacity: capacity)
  }
}
