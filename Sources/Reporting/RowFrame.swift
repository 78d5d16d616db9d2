package import Transformers

/// What all rows of a text begin and end with, as prompts in a chat do: shown once, it says no less.
package struct RowFrame {
  private let start: Int, end: Int

  /// Fewer shared tokens are shown with each row.
  private static let least = 4

  package init(_ text: TokenBatch) {
    let rows = (0..<text.rows).map { Array(text.row($0)) }
    let first = rows.first ?? [], shortest = rows.map(\.count).min() ?? 0
    func shared(_ token: ([Int], Int) -> Int) -> Int {
      (0..<shortest).first { index in rows.contains { token($0, index) != token(first, index) } }
        ?? shortest
    }
    let start = shared { $0[$1] }
    let end = min(shared { $0[$0.count - 1 - $1] }, shortest - start)
    let isFrame = rows.count > 1 && start + end >= Self.least && start + end < shortest
    (self.start, self.end) = isFrame ? (start, end) : (0, 0)
  }

  package var isEmpty: Bool { start + end == 0 }

  /// A row without it.
  package func within(_ row: [Int]) -> [Int] { Array(row.dropFirst(start).dropLast(end)) }
}
