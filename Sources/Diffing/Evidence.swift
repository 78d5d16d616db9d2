internal import Tensors
package import Transformers

/// What a method claims about a pair: five optional answers, and exhibits for people.
///
/// Nil means that the method does not say. A method that could answer but found nothing leaves the
/// answer nil too: it never presents noise as a ranking.
package struct Evidence: Codable, Equatable, Sendable {
  /// *Whether*: a number that grows with the change.
  package var magnitude: Double?
  /// *What*: tokens, the strongest claim first within each sign.
  package var tokens: [TokenClaim]?
  /// *When*: prompts of the pool, the strongest claim first.
  package var inputs: [InputClaim]?
  /// *Where*: modules, the strongest claim first.
  package var sites: [SiteClaim]?
  /// *How*: interventions that should bring the behaviour about, and whose reversal should end it.
  package var interventions: [ProposedIntervention]?
  /// What the method saw, for people.
  package var exhibits: [Exhibit] = []

  /// Nothing found.
  package init() {}

  /// Whether every claim's number is finite.
  var isFinite: Bool {
    magnitude?.isFinite ?? true && tokens?.allSatisfy(\.score.isFinite) ?? true
      && inputs?.allSatisfy(\.score.isFinite) ?? true
      && sites?.allSatisfy(\.score.isFinite) ?? true
      && interventions?.allSatisfy(\.isFinite) ?? true
  }

  /// Whether no question is answered.
  package var isEmpty: Bool {
    magnitude == nil && tokens == nil && inputs == nil && sites == nil && interventions == nil
  }
}

/// A token that a method says is more or less likely than it was.
package struct TokenClaim: Codable, Equatable, Sendable {
  package let token: Int
  package let score: Float
  /// 1 if promoted, -1 if suppressed.
  package let sign: Int

  package init(token: Int, score: Float, sign: Int) {
    self.token = token
    self.score = score
    self.sign = sign
  }

  /// Claims from signed scores by token: the highest are promoted, the lowest suppressed.
  ///
  /// - Parameters:
  ///   - scores: One score a token; 0 claims nothing.
  ///   - excluded: Tokens that are never claimed.
  package static func ranking(_ scores: [Float], excluding excluded: Set<Int>) -> [TokenClaim] {
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
  package static func roundRobin(_ rankings: [[TokenClaim]]) -> [TokenClaim] {
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
package struct InputClaim: Codable, Equatable, Sendable {
  /// The row of the pool.
  package let row: Int
  package let score: Float

  /// Claims from one score a row of the pool, the highest first.
  package static func ranking(_ scores: [Float]) -> [InputClaim] {
    ranking(scores, rows: Array(scores.indices))
  }

  /// Claims from scores of some rows of the pool, the highest first.
  package static func ranking(_ scores: [Float], rows: [Int]) -> [InputClaim] {
    var generator = SeededGenerator(seed: 0, for: "ties")
    let order = generator.permutation(scores.count)
    return scores.indices.sorted { (scores[$0], order[$0]) > (scores[$1], order[$1]) }
      .map { InputClaim(row: rows[$0], score: scores[$0]) }
  }
}

/// A module that a method says was changed.
package struct SiteClaim: Codable, Equatable, Sendable {
  /// The module, as `ModuleSite` prints it.
  package let site: String
  package let score: Float

  /// Claims of both modules of each block, by how much a figure of the stream grows over the block.
  ///
  /// - Parameters:
  ///   - values: The figure after each block.
  ///   - start: The figure before the first block, for which the embedding answers.
  ///   - others: Further modules with their figures.
  static func rankingGrowth(
    _ values: [Float], from start: Float, and others: [(ModuleSite, Float)] = []
  ) -> [SiteClaim] {
    let blocks = values.indices.flatMap { layer -> [(ModuleSite, Float)] in
      let growth = values[layer] - (layer > 0 ? values[layer - 1] : start)
      return [(.attention(layer: layer), growth), (.mlp(layer: layer), growth)]
    }
    return ranking(blocks + (start > 0 ? [(.embedding, start)] : []) + others)
  }

  /// Claims from one score a module, the highest first.
  package static func ranking(_ scores: [(ModuleSite, Float)]) -> [SiteClaim] {
    scores.enumerated()
      .sorted { ($0.element.1, -$0.offset) > ($1.element.1, -$1.offset) }
      .map { SiteClaim(site: $0.element.0.description, score: $0.element.1) }
  }
}

/// An edit that should bring the planted behaviour about in the base.
package enum ProposedIntervention: Codable, Equatable, Sendable {
  /// Adds a vector to the residual stream after a block, at every token.
  case steer(layer: Int, direction: [Float])
  /// Replaces a module's output by the finetuned model's, at every token.
  case patch(module: PatchedModule)
  /// Replaces the component along a direction of the residual stream after a block by the finetuned
  /// model's, at every token.
  case project(layer: Int, direction: [Float])
  /// Adds changes to tensors of the base, by name, row by row.
  case weights([WeightChange])

  /// Whether its numbers are finite.
  var isFinite: Bool {
    switch self {
    case .steer(_, let direction), .project(_, let direction): direction.allSatisfy(\.isFinite)
    case .patch: true
    case .weights(let changes): changes.allSatisfy { $0.change.allSatisfy(\.isFinite) }
    }
  }

  package enum PatchedModule: Codable, Equatable, Sendable {
    case attention(layer: Int)
    case mlp(layer: Int)

    package var site: ActivationSite {
      switch self {
      case .attention(let layer): .attentionOutput(layer: layer)
      case .mlp(let layer): .mlpOutput(layer: layer)
      }
    }
  }

  package struct WeightChange: Codable, Equatable, Sendable {
    package let name: String
    package let change: [Float]

    package init(name: String, change: [Float]) {
      self.name = name
      self.change = change
    }
  }
}
