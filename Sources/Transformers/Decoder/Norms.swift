/// Where a decoder normalises.
package struct Norms: Sendable, Hashable {
  /// What of queries and keys is normalised at once, before they are rotated.
  package enum QueryKeyNorm: Sendable, Hashable {
    /// Each head by itself, with one gain for all heads.
    case perHead
    /// All heads together.
    case whole
  }

  /// Whether what a branch reads is normalised.
  package var areBefore: Bool
  /// Whether what a branch adds to the stream is.
  package var areAfter: Bool
  package var ofQueriesAndKeys: QueryKeyNorm?

  /// The roles of their gains.
  var roles: Set<TensorRole> {
    Set(areBefore ? [.attentionNorm, .mlpNorm] : [])
      .union(areAfter ? [.attentionPostNorm, .mlpPostNorm] : [])
      .union(ofQueriesAndKeys == nil ? [] : [.queryNorm, .keyNorm])
  }

  /// Before each branch alone, unless said otherwise.
  package init(
    areBefore: Bool = true, areAfter: Bool = false, ofQueriesAndKeys: QueryKeyNorm? = nil
  ) {
    self.areBefore = areBefore
    self.areAfter = areAfter
    self.ofQueriesAndKeys = ofQueriesAndKeys
  }
}
