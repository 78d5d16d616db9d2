/// Rows of tokens of any lengths, stored one behind the other.
///
/// Rows are packed, not padded, so a pad can never leak into a mean, a loss or an attention pattern.
public struct TokenBatch: Sendable, Hashable {
  /// All tokens, row after row.
  public let tokens: [Int]
  /// Where each row starts in `tokens`, and, last, their number.
  public let starts: [Int]
  /// The length of the longest row.
  public let longestRow: Int

  /// Creates a batch from rows.
  public init(_ rows: [[Int]]) {
    tokens = rows.flatMap { $0 }
    starts = rows.reduce(into: [0]) { $0.append($0[$0.count - 1] + $1.count) }
    longestRow = rows.map(\.count).max() ?? 0
  }

  /// Creates a batch from rows padded to one length.
  ///
  /// - Parameters:
  ///   - rows: Rows of equal length.
  ///   - lengths: How many of each row's first tokens are real.
  public init(padded rows: [[Int]], lengths: [Int]) {
    precondition(rows.count == lengths.count, "One length per row is needed")
    self.init(zip(rows, lengths).map { Array($0.prefix($1)) })
  }

  /// Mixes the tokens in.
  public func hash(into hasher: inout Hasher) {
    // Enough to tell texts apart; a dictionary compares equal hashes token by token.
    hasher.combine(starts.count)
    hasher.combine(tokens.count)
    for token in tokens.prefix(64) { hasher.combine(token) }
  }

  /// How many rows there are.
  public var rows: Int { starts.count - 1 }
  /// How many tokens there are in all.
  public var count: Int { tokens.count }
  /// Whether there is no row.
  public var isEmpty: Bool { tokens.isEmpty }

  /// Where row `index` lies in `tokens`.
  public func range(_ index: Int) -> Range<Int> { starts[index]..<starts[index + 1] }

  /// The tokens of row `index`.
  public func row(_ index: Int) -> ArraySlice<Int> { tokens[range(index)] }

  /// Where the rows in `rows` lie in `tokens`.
  public func range(rows: Range<Int>) -> Range<Int> {
    starts[rows.lowerBound]..<starts[rows.upperBound]
  }

  /// The index in `tokens` of each row's last token; empty rows have none.
  public var lastIndices: [Int] {
    (0..<rows).filter { !range($0).isEmpty }.map { range($0).upperBound - 1 }
  }
}
