internal import Tensors

/// The rows of a batch as the shards of a pass read them.
struct ShardedBatch {
  let batch: TokenBatch
  /// The rows of each shard, none of them empty.
  let shards: [Range<Int>]
  /// How many tokens every row of a shard has in front, which are the shard's first row; 0 if nothing is shared.
  let prefix: Int

  /// Rows that are read whole.
  init(_ batch: TokenBatch, shards count: Int) {
    self.batch = batch
    shards = Shards.ranges(of: batch.rows, count: count).filter { !$0.isEmpty }
    prefix = 0
  }

  /// For each of some shards the prefix of all rows, and behind it what the shard's rows go on with.
  init(prefix: ArraySlice<Int>, rests: [ArraySlice<Int>], shards count: Int) {
    let parts = Shards.ranges(of: rests.count, count: count).filter { !$0.isEmpty }
    batch = TokenBatch(parts.flatMap { [Array(prefix)] + rests[$0].map(Array.init) })
    shards = parts.enumerated().map { $1.lowerBound + $0..<$1.upperBound + $0 + 1 }
    self.prefix = prefix.count
  }

  /// The tokens of a shard.
  func tokens(_ shard: Int) -> Range<Int> { batch.range(rows: shards[shard]) }

  /// The rows of a shard as segments.
  func segments(_ shard: Int) -> [Segment] {
    Self.segments(shards[shard], of: batch, behind: prefix)
  }

  /// Rows as segments, their tokens counted from the rows' first; all but the first may have that one in front.
  static func segments(_ rows: Range<Int>, of batch: TokenBatch, behind prefix: Int = 0)
    -> [Segment]
  {
    let first = batch.starts[rows.lowerBound]
    return rows.filter { !batch.range($0).isEmpty }.map { row in
      let range = batch.range(row), shared = row > rows.lowerBound ? prefix : 0
      return Segment(
        tokens: range.lowerBound - first..<range.upperBound - first, offset: shared, row: row,
        prefix: 0..<shared)
    }
  }
}

/// Rows that begin with the same tokens, as the prompts of a chat template do: those are computed once for a shard's
/// rows.
///
/// A token's activations depend on nothing behind it, so they are the same in every row, as long as no edit tells the
/// rows apart.
struct SharedPrefix {
  let read: ShardedBatch
  /// The token of the compact batch that stands for each token of the whole one.
  private let places: [Int]
  /// A token of the whole batch that each token of the compact one stands for.
  private let sources: [Int]

  /// - Parameters:
  ///   - batch: The rows.
  ///   - edits: What is done in some pass.
  ///   - count: Shards of the whole batch.
  /// - Returns: Nil if it would save little, or if an edit tells the rows' beginnings apart.
  init?(_ batch: TokenBatch, editing edits: [Intervention], shards count: Int) {
    let prefix = Self.prefix(of: batch)
    let count = min(count, max(2, batch.rows / Self.rowsOfShard))
    guard prefix * (batch.rows - count) * Self.leastSaved >= batch.count, prefix > 0,
      edits.allSatisfy({ $0.isShared(by: batch, prefix) })
    else { return nil }
    let rows = (0..<batch.rows).map { batch.row($0) }
    read = ShardedBatch(
      prefix: batch.row(0).prefix(prefix), rests: rows.map { $0.dropFirst(prefix) }, shards: count)
    var (places, sources) = ([Int](), [Int]())
    for shard in read.shards {
      let first = read.batch.starts[shard.lowerBound]
      sources += 0..<prefix
      for row in shard.dropFirst() {
        let rest = read.batch.range(row)
        places += first..<first + prefix
        places += rest
        sources += places.count - rest.count..<places.count
      }
    }
    (self.places, self.sources) = (places, sources)
  }

  /// Rows of a shard, at least: each shard computes the prefix once.
  private static var rowsOfShard: Int { 8 }
  /// Which part of all tokens has to be saved, as its reciprocal.
  private static var leastSaved: Int { 8 }

  private static func prefix(of batch: TokenBatch) -> Int {
    guard batch.rows > 1 else { return 0 }
    let first = batch.row(0)
    return (1..<batch.rows).reduce(first.count) { length, row in
      zip(first.prefix(length), batch.row(row)).prefix { $0 == $1 }.count
    }
  }

  /// An edit of the whole batch as one of the compact batch.
  func compact(_ edit: Intervention) -> Intervention {
    guard case .replace(let stream) = edit.operation, stream.shape.count == 2 else { return edit }
    return .patch(edit.site, with: stream.rows(at: sources), head: edit.head)
  }

  /// What was recorded of the compact batch, for every token of the whole one.
  func expanded(_ recording: Tensor) -> Tensor { recording.rows(at: places) }

  /// A pass over the compact batch, without logits, as one over the whole.
  func expanded(_ pass: ForwardPass, to batch: TokenBatch) -> ForwardPass {
    ForwardPass(
      batch: batch, recordings: pass.recordings.mapValues(expanded), logits: pass.logits)
  }
}

extension Intervention {
  /// Whether it does the same to each row's first `prefix` tokens.
  fileprivate func isShared(by batch: TokenBatch, _ prefix: Int) -> Bool {
    guard case .all = positions else { return false }
    guard case .replace(let stream) = operation, stream.shape.count == 2 else { return true }
    let width = stream.columns
    let first = stream.scalars[..<(prefix * width)]
    return (1..<batch.rows).allSatisfy { row in
      let start = batch.starts[row] * width
      return stream.scalars[start..<start + first.count].elementsEqual(first)
    }
  }
}
