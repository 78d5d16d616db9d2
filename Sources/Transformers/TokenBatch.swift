/// Rows of tokens of any lengths, stored one behind the other.
///
/// Rows are packed, not padded, so a pad can never leak into a mean, a loss or an attention pattern.
package struct TokenBatch: Sendable, Hashable {
  /// All tokens, row after row.
  package let tokens: [Int]
  /// Where each row starts in `tokens`, and, last, their number.
  package let starts: [Int]
  /// The length of the longest row.
  package let longestRow: Int

  /// Creates a batch from rows.
  package init(_ rows: [[Int]]) {
    tokens = rows.flatMap { $0 }
    starts = rows.reduce(into: [0]) { $0.append($0[$0.count - 1] + $1.count) }
    longestRow = rows.map(\.count).max() ?? 0
  }

  /// Creates a batch from rows padded to one length.
  ///
  /// - Parameters:
  ///   - rows: Rows of equal length.
  ///   - lengths: How many of each row's first tokens are real.
  package init(padded rows: [[Int]], lengths: [Int]) {
    precondition(rows.count == lengths.count, "One length per row is needed")
    self.init(zip(rows, lengths).map { Array($0.prefix($1)) })
  }

  package func hash(into hasher: inout Hasher) {
    // Enough to tell texts apart; a dictionary compares equal hashes token by token.
    hasher.combine(starts.count)
    hasher.combine(tokens.count)
    for token in tokens.prefix(64) { hasher.combine(token) }
  }

  package var rows: Int { starts.count - 1 }
  package var count: Int { tokens.count }
  package var isEmpty: Bool { tokens.isEmpty }

  /// Where row `index` lies in `tokens`.
  package func range(_ index: Int) -> Range<Int> { starts[index]..<starts[index + 1] }

  /// The tokens of row `index`.
  package func row(_ index: Int) -> ArraySlice<Int> { tokens[range(index)] }

  /// Where the rows in `rows` lie in `tokens`.
  package func range(rows: Range<Int>) -> Range<Int> {
    starts[rows.lowerBound]..<starts[rows.upperBound]
  }

  /// The index in `tokens` of each row's last token; empty rows have none.
  package var lastIndices: [Int] {
    (0..<rows).filter { !range($0).isEmpty }.map { range($0).upperBound - 1 }
  }
}
