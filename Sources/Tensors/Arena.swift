/// Memory handed out piece by piece and taken back all at once.
///
/// A training step asks for the same windows each time, so after the first step nothing is
/// allocated any more.
package final class Arena {
  private var chunks: [FloatBuffer] = []
  private var used = 0
  private var total = 0

  package init() {}

  /// Takes all memory back; windows handed out before must not be used any more.
  package func reset() {
    if chunks.count > 1 { chunks = [FloatBuffer(count: total)] }
    used = 0
    total = 0
  }

  /// A window whose numbers are undefined, shaped `[rows, columns]`, 64-byte aligned.
  package func matrix(rows: Int, columns: Int) -> Matrix {
    let count = (rows * columns + 15) / 16 * 16
    if chunks.isEmpty || used + count > chunks[chunks.count - 1].count {
      chunks.append(FloatBuffer(count: max(count, 1 << 16)))
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
}
