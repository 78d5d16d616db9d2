extension [Float] {
  /// Where the numbers stand, the largest first; of equal ones the first.
  package var descendingIndices: [Int] {
    indices.sorted { (self[$0], -$0) > (self[$1], -$1) }
  }
}
