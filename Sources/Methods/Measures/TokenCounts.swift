internal import Diffing
internal import Foundation
internal import Tensors

/// How often each token was said in some samples.
struct TokenCounts: Equatable {
  let counts: [Int]
  let total: Int

  init(_ samples: [[Int]], vocabulary: Int) {
    var counts = [Int](repeating: 0, count: vocabulary)
    for row in samples { for token in row { counts[token] += 1 } }
    self.counts = counts
    total = samples.reduce(0) { $0 + $1.count }
  }

  /// Log-odds ratios against other counts, half a count added, in standard errors, by token
  /// (Monroe et al., 2008, with a flat prior); 0 where a token is as frequent in both.
  func zScores(against other: TokenCounts) -> [Float] {
    zip(counts, other.counts).map { own, reference in
      Significance.zScore(own, of: total, against: reference, of: other.total)
    }
  }
}

/// Whether a text says the same few tokens over and over: degenerate samples have large gaps for no
/// reason that has to do with what was trained.
package func isDegenerate(_ tokens: [Int]) -> Bool { Set(tokens).count * 3 < tokens.count }
