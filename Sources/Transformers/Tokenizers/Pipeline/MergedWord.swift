internal import HeapModule

/// A piece of text whose neighbouring tokens are put together.
///
/// Tokens are a linked list, and the pairs that can be merged wait in a heap: a piece of n characters takes
/// n log n steps, as whole lines are one piece where blanks are characters like any other.
struct MergedWord {
  /// Neighbours that could be merged; the least is merged first.
  private struct Candidate: Comparable {
    let rank: Int, position: Int, token: Int

    static func < (a: Candidate, b: Candidate) -> Bool {
      (a.rank, a.position) < (b.rank, b.position)
    }
  }

  /// The token at each place; nil where it has become part of the one before.
  private var symbols: [Int?]
  private var previous: [Int], next: [Int]
  private var candidates = Heap<Candidate>()

  /// Starts with a token a character.
  init(_ symbols: [Int]) {
    self.symbols = symbols
    previous = Array(-1..<symbols.count - 1 + (symbols.isEmpty ? 1 : 0))
    next = symbols.indices.map { $0 + 1 }
  }

  /// What is left.
  var tokens: [Int] { symbols.compactMap { $0 } }

  /// Merges until no two neighbours can be.
  mutating func merge(by table: MergeTable) {
    for position in symbols.indices { propose(position, table) }
    while let candidate = candidates.popMin() {
      let position = candidate.position
      // What a candidate was made of may have changed since.
      guard found(position, table)?.token == candidate.token else { continue }
      join(position, as: candidate.token)
      if previous[position] >= 0 { propose(previous[position], table) }
      propose(position, table)
    }
  }

  private func found(_ position: Int, _ table: MergeTable) -> MergeTable.Merge? {
    let neighbour = next[position]
    guard neighbour < symbols.count, let left = symbols[position], let right = symbols[neighbour]
    else { return nil }
    return table.merge(left, right)
  }

  private mutating func propose(_ position: Int, _ table: MergeTable) {
    guard let merge = found(position, table) else { return }
    candidates.insert(Candidate(rank: merge.rank, position: position, token: merge.token))
  }

  private mutating func join(_ position: Int, as token: Int) {
    let absorbed = next[position]
    symbols[position] = token
    symbols[absorbed] = nil
    next[position] = next[absorbed]
    if next[position] < symbols.count { previous[next[position]] = position }
  }
}
