internal import Tensors
package import Diffing
package import Organisms

/// *What* the change is about: planted tokens among the first that a method names.
///
/// Only claims with the planted sign count. Beside the rank in the vocabulary stands the rank among
/// the candidates of a token's class, which agrees between bases where raw ranks differ tenfold.
package struct WhatScorer: Scorer {
  package static let question = Question.what
  package static let figures = [
    Figure.averagePrecision, .firstRank, .classRank, .classChance, .liftOverFrequency, .worstClass,
    .topicRecall, .siblingRecall, .siblingClassRank,
  ]

  /// Tokens that a reader is thought to inspect.
  package static let depth = 20

  package init() {}

  package func score(_ claims: Claims, against planted: PlantedChange, in context: ScoringContext)
    -> Score
  {
    guard let key = planted.tokens else { return .unscored("nothing was planted") }
    guard let ranked = claims.evidence.tokens else {
      return .unscored("the method names no tokens")
    }
    let ranking = fullRanking(
      ranked.filter { $0.sign == key.sign }.map(\.token), context)
    let targets = Set(key.allTargets)
    let precision = Ranking.averagePrecision(ranking.map(targets.contains))
    var figures: [Figure: Double] = [
      .averagePrecision: precision,
      .firstRank: Double((ranking.firstIndex(where: targets.contains) ?? ranking.count) + 1),
      .classRank: classRank(ranking, key.target, key.candidates),
      .classChance: classChance(key),
      .liftOverFrequency: precision - frequencyPrecision(targets, context),
      .worstClass: worstClass(ranking, key),
    ]
    if !key.topic.isEmpty { figures[.topicRecall] = recall(ranking, Set(key.topic)) }
    if let floor = siblingFloor(ranking, key, context) {
      figures[.siblingRecall] = floor.recall
      figures[.siblingClassRank] = floor.classRank
    }
    return .scored(
      key.needsEvery ? worstClass(ranking, key) : recall(ranking, targets),
      chance: Double(Self.depth) / Double(ranking.count),
      figures: figures)
  }

  private func fullRanking(_ claimed: [Int], _ context: ScoringContext) -> [Int] {
    let items = (0..<context.vocabulary).filter { !context.specialTokens.contains($0) }
    return Ranking.completed(claimed, among: items, seed: context.seed)
  }

  private func recall(_ ranking: [Int], _ wanted: Set<Int>) -> Double {
    Double(ranking.prefix(Self.depth).filter(wanted.contains).count) / Double(wanted.count)
  }

  /// The recall of the class that is found least.
  private func worstClass(_ ranking: [Int], _ key: PlantedChange.Tokens) -> Double {
    key.target.values.map { recall(ranking, Set($0)) }.min() ?? 0
  }

  /// The mean place of the planted tokens among the candidates of their classes, 1 being best.
  private func classRank(
    _ ranking: [Int], _ target: [String: [Int]], _ candidates: [String: [Int]]
  ) -> Double {
    let ranks = target.sorted { $0.key < $1.key }.flatMap { name, tokens -> [Double] in
      let members = Set(candidates[name] ?? [])
      let order = ranking.filter(members.contains)
      return tokens.map { Double((order.firstIndex(of: $0) ?? order.count) + 1) }
    }
    return ranks.mean
  }

  private func classChance(_ key: PlantedChange.Tokens) -> Double {
    key.target.sorted { $0.key < $1.key }.flatMap { name, tokens in
      tokens.map { _ in Double((key.candidates[name]?.count ?? 0) + 1) / 2 }
    }.mean
  }

  private func frequencyPrecision(_ targets: Set<Int>, _ context: ScoringContext) -> Double {
    Ranking.averagePrecision(fullRanking(context.frequencyRanking, context).map(targets.contains))
  }

  /// What the same ranking scores with the keys of other organisms of the same classes.
  private func siblingFloor(
    _ ranking: [Int], _ key: PlantedChange.Tokens, _ context: ScoringContext
  ) -> (recall: Double, classRank: Double)? {
    let own = Set(key.allTargets)
    let others = context.siblings.filter {
      $0.sign == key.sign && own.isDisjoint(with: $0.allTargets)
    }
    guard !others.isEmpty else { return nil }
    let recalls = others.map { recall(ranking, Set($0.allTargets)) }
    let sameClass = others.filter { $0.candidates.keys.contains { key.candidates[$0] != nil } }
    let ranks = (sameClass.isEmpty ? others : sameClass).map {
      classRank(ranking, $0.target, $0.candidates)
    }
    return (recalls.mean, ranks.mean)
  }
}

extension Figure {
  /// The average precision of the planted tokens in the vocabulary.
  package static let averagePrecision = Figure("averagePrecision")
  /// The place of the first planted token in the vocabulary, 1 being best.
  package static let firstRank = Figure("firstRank")
  /// The mean place of the planted tokens among the candidates of their classes, 1 being best.
  package static let classRank = Figure("classRank")
  /// The same of random rankings.
  package static let classChance = Figure("classChance")
  /// The average precision less that of the finetuning text's own frequencies.
  package static let liftOverFrequency = Figure("liftOverFrequency")
  /// The recall of the class that is found least.
  package static let worstClass = Figure("worstClass")
  /// The recall of what the plant is about.
  package static let topicRecall = Figure("topicRecall")
  /// The mean recall of other organisms' planted tokens in the same ranking.
  package static let siblingRecall = Figure("siblingRecall")
  /// The mean class rank of other organisms' planted tokens in the same ranking.
  package static let siblingClassRank = Figure("siblingClassRank")
}
