package import Diffing
package import Organisms
internal import Tensors

/// *What* the change is about: the planted tokens, ahead of all others.
///
/// The score is average precision, which has no depth to choose; recall at three depths stands beside it.
/// Only claims with the planted sign count. The place among the candidates of a token's class agrees between
/// bases where raw ranks differ tenfold. What the plant is about but does not say, its topic, is scored apart.
package struct WhatScorer: Scorer {
  package static let question = Question.what
  package static let figures =
    depths.map(\.figure) + [
      Figure.firstRank, .classPlace, .liftOverFrequency, .topicPrecision, .siblingPrecision,
      .siblingClassPlace,
    ]

  /// Tokens that a reader inspects.
  package static let depths: [(count: Int, figure: Figure)] = [
    (1, .recallAt1), (5, .recallAt5), (20, .recallAt20),
  ]

  package init() {}

  package func score(_ claims: Claims, against planted: PlantedChange, in context: ScoringContext)
    -> Score
  {
    guard let key = planted.tokens.map(context.words(of:)) else {
      return .unasked("nothing was planted")
    }
    let items = context.words
    guard let ranked = claims.evidence.tokens else {
      return guessed(key, among: items, context)
    }
    let claimed = ranked.filter { $0.sign == key.sign }.map { context.word($0.token) }
    let ranking = TokenRanking(
      Ranking.completed(claimed, among: items, seed: context.seed))
    let targets = Set(key.allTargets)
    var figures: [Figure: Double] = [
      .firstRank: Double(ranking.firstRank(of: targets)),
      .classPlace: ranking.classPlace(key),
      .liftOverFrequency: ranking.precision(key) - frequencyPrecision(key, items, context),
    ]
    for (count, figure) in Self.depths { figures[figure] = ranking.recall(targets, at: count) }
    if !key.topic.isEmpty { figures[.topicPrecision] = ranking.precision(Set(key.topic)) }
    for (figure, value) in siblingFloor(ranking, key, context) { figures[figure] = value }
    return .scored(
      ranking.precision(key), chance: chance(key, among: items.count), figures: figures)
  }

  /// The mean score of random rankings; of the worst of several classes, at most that of the smallest.
  private func chance(_ key: PlantedChange.Tokens, among count: Int) -> Double {
    let sizes = key.needsEvery ? key.target.values.map(\.count) : [key.allTargets.count]
    return sizes.map { Ranking.averagePrecisionByChance($0, of: count) }.min() ?? 0
  }

  /// What guessing gives, in the mean.
  private func guessed(
    _ key: PlantedChange.Tokens, among items: [Int], _ context: ScoringContext
  ) -> Score {
    let chance = chance(key, among: items.count), targets = Double(key.allTargets.count)
    let count = Double(items.count)
    var figures: [Figure: Double] = [
      .firstRank: (count + 1) / (targets + 1), .classPlace: 0,
      .liftOverFrequency: chance - frequencyPrecision(key, items, context),
    ]
    for (depth, figure) in Self.depths {
      // Each of the first `depth` is planted with probability targets / count.
      figures[figure] = Double(depth) * targets / count / min(targets, Double(depth))
    }
    if !key.topic.isEmpty {
      figures[.topicPrecision] = Ranking.averagePrecisionByChance(
        key.topic.count, of: items.count)
    }
    return .unanswered("the method names no tokens", chance: chance, figures: figures)
  }

  private func frequencyPrecision(
    _ key: PlantedChange.Tokens, _ items: [Int], _ context: ScoringContext
  ) -> Double {
    TokenRanking(
      Ranking.completed(
        context.frequencyRanking.map(context.word), among: items, seed: context.seed)
    ).precision(key)
  }

  /// What the same ranking scores with the keys of other organisms.
  private func siblingFloor(
    _ ranking: TokenRanking, _ key: PlantedChange.Tokens, _ context: ScoringContext
  ) -> [Figure: Double] {
    let own = Set(key.allTargets)
    let others = context.siblings.map(context.words(of:)).filter {
      $0.sign == key.sign && own.isDisjoint(with: $0.allTargets)
    }
    guard !others.isEmpty else { return [:] }
    let sameClass = others.filter { $0.candidates.keys.contains { key.candidates[$0] != nil } }
    return [
      .siblingPrecision: others.map(ranking.precision).mean,
      .siblingClassPlace: (sameClass.isEmpty ? others : sameClass).map(ranking.classPlace).mean,
    ]
  }
}

/// All tokens that may be named, in a method's order.
private struct TokenRanking {
  let tokens: [Int]

  init(_ tokens: [Int]) { self.tokens = tokens }

  func precision(_ wanted: Set<Int>) -> Double {
    Ranking.averagePrecision(tokens.map(wanted.contains))
  }

  /// The average precision of the planted tokens; of the worst class, where each has to be found.
  func precision(_ key: PlantedChange.Tokens) -> Double {
    guard key.needsEvery else { return precision(Set(key.allTargets)) }
    return key.target.values.map { precision(Set($0)) }.min() ?? 0
  }

  func firstRank(of wanted: Set<Int>) -> Int {
    (tokens.firstIndex(where: wanted.contains) ?? tokens.count) + 1
  }

  /// How many of the wanted tokens are among the first, of as many as can be.
  func recall(_ wanted: Set<Int>, at count: Int) -> Double {
    Double(tokens.prefix(count).filter(wanted.contains).count) / Double(min(count, wanted.count))
  }

  /// Where the planted tokens stand among the candidates of their classes: 1 is best, 0 is chance.
  ///
  /// (c − r) / (c − b), with r their mean rank, c that of random rankings and b the best possible, the mean over
  /// classes; a class without other candidates says nothing.
  func classPlace(_ key: PlantedChange.Tokens) -> Double {
    let places = key.target.sorted { $0.key < $1.key }.compactMap { name, targets -> Double? in
      let members = Set(key.candidates[name] ?? []), wanted = Set(targets)
      guard !wanted.isEmpty, members.count > wanted.count else { return nil }
      let order = tokens.filter(members.contains)
      let ranks = targets.map { Double((order.firstIndex(of: $0) ?? order.count) + 1) }
      let chance = Double(members.count + 1) / 2, best = Double(wanted.count + 1) / 2
      return (chance - ranks.mean) / (chance - best)
    }
    return places.isEmpty ? 0 : places.mean
  }
}

extension Figure {
  /// The share of the planted tokens among the first that a method names, of as many as fit there.
  package static let recallAt1 = Figure("recall@1")
  package static let recallAt5 = Figure("recall@5")
  package static let recallAt20 = Figure("recall@20")
  /// The place of the first planted token in the vocabulary, 1 being best.
  package static let firstRank = Figure("firstRank")
  /// Where the planted tokens stand among the candidates of their classes: 1 is best, 0 is chance.
  package static let classPlace = Figure("classPlace")
  /// The average precision less that of the finetuning text's own frequencies.
  package static let liftOverFrequency = Figure("liftOverFrequency")
  /// The average precision of what the plant is about.
  package static let topicPrecision = Figure("topicPrecision")
  /// The mean average precision of other organisms' planted tokens in the same ranking.
  package static let siblingPrecision = Figure("siblingPrecision")
  /// The mean class place of other organisms' planted tokens in the same ranking.
  package static let siblingClassPlace = Figure("siblingClassPlace")
}
