internal import Tensors
public import Transformers

/// A token that a method says is more or less likely than it was.
public struct TokenClaim: Codable, Equatable, Sendable {
  /// The token's id.
  public let token: Int
  /// How strong the claim is; larger is stronger.
  public let score: Float
  /// 1 if promoted, -1 if suppressed.
  public let sign: Int

  /// Claims a token.
  public init(token: Int, score: Float, sign: Int) {
    self.token = token
    self.score = score
    self.sign = sign
  }

  /// Claims from signed scores by token: the highest are promoted, the lowest suppressed.
  ///
  /// - Parameters:
  ///   - scores: One score a token; 0 claims nothing.
  ///   - excluded: Tokens that are never claimed.
  public static func ranking(_ scores: [Float], excluding excluded: Set<Int>) -> [TokenClaim] {
    let tokens = scores.indices.filter { !excluded.contains($0) && scores[$0] != 0 }
    // Equal scores in an order of no meaning: ids follow the classes of the vocabulary.
    var generator = SeededGenerator(seed: 0, for: "ties")
    let order = generator.permutation(scores.count)
    let ordered = tokens.sorted { (abs(scores[$0]), order[$0]) > (abs(scores[$1]), order[$1]) }
    return ordered.map { TokenClaim(token: $0, score: scores[$0], sign: scores[$0] > 0 ? 1 : -1) }
  }

  /// Merges rankings by turns, so that a token's place is the number of tokens a reader inspects.
  ///
  /// - Parameter rankings: Claims, each strongest first; signs are merged apart.
  public static func roundRobin(_ rankings: [[TokenClaim]]) -> [TokenClaim] {
    [1, -1].flatMap { sign in
      var queues = rankings.map { $0.filter { $0.sign == sign }[...] }
      var seen: Set<Int> = []
      var merged: [TokenClaim] = []
      while queues.contains(where: { !$0.isEmpty }) {
        for index in queues.indices {
          while let claim = queues[index].popFirst() {
            guard seen.insert(claim.token).inserted else { continue }
            merged.append(claim)
            break
          }
        }
      }
      return merged
    }
  }
}

/// A prompt of the pool that a method says sets the behaviour off.
public struct InputClaim: Codable, Equatable, Sendable {
  /// The row of the pool.
  public let row: Int
  /// How strong the claim is; larger is stronger.
  public let score: Float

  /// Claims a prompt.
  public init(row: Int, score: Float) {
    self.row = row
    self.score = score
  }

  /// Claims from one score a row of the pool, the highest first; nil if none is above 0.
  public static func ranking(_ scores: [Float]) -> [InputClaim]? {
    ranking(scores, rows: Array(scores.indices))
  }

  /// Claims from scores of some rows of the pool, the highest first; nil if none is above 0.
  ///
  /// - Parameters:
  ///   - scores: One score a row; 0 or less claims nothing.
  ///   - rows: The rows that they belong to.
  public static func ranking(_ scores: [Float], rows: [Int]) -> [InputClaim]? {
    var generator = SeededGenerator(seed: 0, for: "ties")
    let order = generator.permutation(scores.count)
    let claimed = scores.indices.filter { scores[$0] > 0 }
    guard !claimed.isEmpty else { return nil }
    return claimed.sorted { (scores[$0], order[$0]) > (scores[$1], order[$1]) }
      .map { InputClaim(row: rows[$0], score: scores[$0]) }
  }
}

/// A module that a method says was changed.
public struct SiteClaim: Codable, Equatable, Sendable {
  /// The module.
  public let site: ModuleSite
  /// How strong the claim is; larger is stronger.
  public let score: Float

  /// Claims a module.
  public init(site: ModuleSite, score: Float) {
    self.site = site
    self.score = score
  }

  /// Claims from one score a module, the highest first; nil if none is above 0.
  ///
  /// What is less than a millionth of the best is rounding beside it, and counts as 0.
  public static func ranking(_ scores: [(ModuleSite, Float)]) -> [SiteClaim]? {
    let best = scores.map(\.1).max() ?? 0
    guard best > 0 else { return nil }
    return scores.map { site, score in (site, abs(score) < 1e-6 * best ? 0 : score) }.enumerated()
      .sorted { ($0.element.1, -$0.offset) > ($1.element.1, -$1.offset) }
      .map { SiteClaim(site: $0.element.0, score: $0.element.1) }
  }
}
