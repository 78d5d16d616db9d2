internal import Diffing
internal import Tensors
internal import Transformers

extension ModelPair {
  /// Rows in groups of which no more logits than a step of reading may hold, 16 MiB, are in memory at once.
  ///
  /// - Parameter onlyLast: Whether logits are computed at the last token of each row alone.
  func readingGroups(_ rows: [[Int]], onlyLast: Bool = false) -> [[[Int]]] {
    let most = max(1, (1 << 22) / shape.vocabulary)
    var groups: [[[Int]]] = [], logits = most, tokens = 0
    for row in rows {
      let own = onlyLast ? 1 : row.count
      (logits, tokens) = (logits + own, tokens + row.count)
      if logits > most || tokens > Self.tokensAtOnce {
        (groups, logits, tokens) = (groups + [[]], own, row.count)
      }
      groups[groups.count - 1].append(row)
    }
    return groups
  }

  /// Tokens whose streams are in memory at once.
  private static var tokensAtOnce: Int { 1 << 13 }
}
