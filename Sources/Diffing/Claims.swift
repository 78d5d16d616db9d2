internal import Synchronization
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
    // Equal scores in an order of no meaning: ids follow the classes of the vocabulary.
    let ties = TieOrder.of(scores.count)
    // Bits of floats that are not negative are ordered as the floats are.
    let keys = scores.indices.lazy.filter { !excluded.contains($0) && scores[$0] != 0 }
      .map { UInt64(abs(scores[$0]).bitPattern) << 32 | UInt64(ties.places[$0]) }
    return keys.sorted(by: >).map { key in
      let token = ties.tokens[Int(key & 0xFFFF_FFFF)]
      return TokenClaim(token: token, score: scores[token], sign: scores[token] > 0 ? 1 : -1)
    }
  }

  /// Merges rankings by turns, so that a token's place is the number of tokens a reader inspects.
  ///
  /// - Parameter rankings: Claims, each strongest first; signs are merged apart.
  public static func roundRobin(_ rankings: [[TokenClaim]]) -> [TokenClaim] {
    [1, -1].flatMap { sign in
      var turns = Turns(rankings: rankings, sign: sign)
      return Array(AnyIterator { turns.next() })
    }
  }
}

/// The claims of one sign of several rankings, by turns; none of a token that was claimed before.
private struct Turns {
  private let rankings: [[TokenClaim]]
  private let sign: Int
  /// The next claim of each ranking.
  private var places: [Int]
  private var turn = 0
  private var seen: Set<Int> = []

  init(rankings: [[TokenClaim]], sign: Int) {
    self.rankings = rankings
    self.sign = sign
    places = rankings.map { _ in 0 }
  }

  mutating func next() -> TokenClaim? {
    for _ in rankings {
      defer { turn = (turn + 1) % rankings.count }
      if let claim = nextClaim(of: turn) { return claim }
    }
    return nil
  }

  private mutating func nextClaim(of index: Int) -> TokenClaim? {
    while places[index] < rankings[index].count {
      let claim = rankings[index][places[index]]
      places[index] += 1
      if claim.sign == sign, seen.insert(claim.token).inserted { return claim }
    }
    return nil
  }
}

/// An order of a vocabulary's tokens that has no meaning, the same each time.
private final class TieOrder: Sendable {
  /// Where each token comes.
  let places: [Int]
  /// The token at each place.
  let tokens: [Int]

  private static let known = Mutex<[Int: TieOrder]>([:])

  static func of(_ count: Int) -> TieOrder {
    known.withLock { known in
      if let order = known[count] { return order }
      let order = TieOrder(count)
      known[count] = order
      return order
    }
  }

  private init(_ count: Int) {
    var generator = SeededGenerator(seed: 0, for: "ties")
    let places = generator.permutation(count)
    self.places = places
    tokens = places.indices.sorted { places[$0] < places[$1] }
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
