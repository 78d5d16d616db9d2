internal import Synchronization

/// Memory handed out piece by piece and taken back all at once.
///
/// A training step asks for the same windows each time, so after the first step nothing is
/// allocated any more.
package final class Arena {
  private var chunks: [FloatBuffer] = []
  private var used = 0
  fileprivate private(set) var total = 0

  package init() {}

  /// Takes all memory back; windows handed out before must not be used any more.
  package func reset() {
    if chunks.count > 1 { chunks = [FloatBuffer(undefined: total)] }
    used = 0
    total = 0
  }

  /// A window whose numbers are undefined, shaped `[rows, columns]`, 64-byte aligned.
  package func matrix(rows: Int, columns: Int) -> Matrix {
    let count = (rows * columns + 15) / 16 * 16
    if chunks.isEmpty || used + count > chunks[chunks.count - 1].count {
      // As much again as there is: large pieces go back to the system when they are freed.
      chunks.append(FloatBuffer(undefined: max(count, total, 1 << 16)))
      used = 0
    }
    defer {
      used += count
      total += count
    }
    return Matrix(chunks[chunks.count - 1], offset: used, rows: rows, columns: columns)
  }

  /// A window of zeros, shaped `[rows, columns]`.
  package func zeros(rows: Int, columns: Int) -> Matrix {
    let matrix = matrix(rows: rows, columns: columns)
    matrix.fill(0)
    return matrix
  }

  /// A copy of some rows of a matrix.
  package func gather(_ rows: [Int], of source: Matrix) -> Matrix {
    let result = matrix(rows: rows.count, columns: source.columns)
    for (row, index) in rows.enumerated() {
      result.rows(row..<row + 1).copy(source.rows(index..<index + 1))
    }
    return result
  }
}

/// Arenas that are lent and keep their memory between calls, so that a short pass does not allocate.
package final class ArenaPool: Sendable {
  /// Arenas that nobody is using; one at a time belongs to one thread.
  private struct Idle: @unchecked Sendable {
    var arenas: [Arena] = []
  }

  private let idle = Mutex(Idle())
  private let largestKept: Int

  /// For passes, whose arenas are let go if they have grown beyond 64 MiB.
  package static let shared = ArenaPool(largestKept: 1 << 24)

  /// Makes a pool.
  ///
  /// - Parameter largestKept: Floats that an arena may keep.
  package init(largestKept: Int = .max) { self.largestKept = largestKept }

  /// Lends an arena; no window of it may outlive the call.
  package func withArena<Result>(_ body: (Arena) -> Result) -> Result {
    let arena = idle.withLock { $0.arenas.popLast() } ?? Arena()
    arena.reset()
    defer {
      if arena.total <= largestKept {
        idle.withLock { if $0.arenas.count < Shards.count { $0.arenas.append(arena) } }
      }
    }
    return body(arena)
  }
}
