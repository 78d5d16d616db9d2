/// Finds the candidate that a misspelt word probably meant.
///
/// - Parameters:
///   - word: What somebody wrote.
///   - candidates: The valid names; on a tie the first wins.
/// - Returns: The nearest name by edit distance, or nil if none is near, or if the word is no name: the
///   distance takes time in the product of both lengths.
package func nearest(to word: String, among candidates: some Sequence<String>) -> String? {
  guard word.utf8.count <= nameLimit else { return nil }
  let limit = min(3, word.count / 2)
  let scored = candidates.filter { $0.utf8.count <= nameLimit }.map { ($0, editDistance(word, $0)) }
  guard let best = scored.min(by: { $0.1 < $1.1 }), best.1 <= limit else { return nil }
  return best.0
}

/// Longer than any name or word that somebody writes.
private let nameLimit = 256

/// The number of insertions, deletions and substitutions between two words (Levenshtein).
func editDistance(_ a: String, _ b: String) -> Int {
  let a = Array(a), b = Array(b)
  var row = Array(0...b.count)
  for (i, x) in a.enumerated() {
    var diagonal = row[0]
    row[0] = i + 1
    for (j, y) in b.enumerated() {
      let substitution = diagonal + (x == y ? 0 : 1)
      diagonal = row[j + 1]
      row[j + 1] = min(substitution, row[j] + 1, row[j + 1] + 1)
    }
  }
  return row[b.count]
}
