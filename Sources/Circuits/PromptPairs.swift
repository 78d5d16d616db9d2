package import Transformers

/// Prompts, and of each another that takes its place where a circuit is cut: what the cut takes away is what tells
/// the two apart.
package struct PromptPairs: Sendable {
  package let clean, corrupted: TokenBatch

  /// - Throws: `CircuitError` if a prompt and its counterpart differ in length: then no place of one is a place of the
  ///   other.
  package init(clean: TokenBatch, corrupted: TokenBatch) throws(CircuitError) {
    guard clean.rows == corrupted.rows else {
      throw .differentCounts(clean: clean.rows, corrupted: corrupted.rows)
    }
    for row in 0..<clean.rows {
      let lengths = (clean.range(row).count, corrupted.range(row).count)
      guard lengths.0 == lengths.1 else {
        throw .differentLengths(row: row, clean: lengths.0, corrupted: lengths.1)
      }
    }
    self.clean = clean
    self.corrupted = corrupted
  }
}

/// Why no circuit can be looked for.
package enum CircuitError: Error, Equatable, CustomStringConvertible {
  case differentCounts(clean: Int, corrupted: Int)
  case differentLengths(row: Int, clean: Int, corrupted: Int)

  package var description: String {
    switch self {
    case .differentCounts(let clean, let corrupted):
      "There are \(clean) prompts and \(corrupted) counterparts; give one of each prompt."
    case .differentLengths(let row, let clean, let corrupted):
      "Prompt \(row) has \(clean) tokens and its counterpart \(corrupted); give it as many."
    }
  }
}
