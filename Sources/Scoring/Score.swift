internal import Worlds
package import Diffing
package import Organisms

/// A figure beside a score, by name.
///
/// Each is declared once, in the file of the scorer that makes it.
package struct Figure: Hashable, Sendable {
  package let name: String

  package init(_ name: String) { self.name = name }
}

/// What one scorer says of one method's evidence on one pair.
package struct Score: Equatable, Sendable {
  /// From chance to 1, or nil if the question was not answered or could not be asked.
  package let value: Double?
  /// What guessing scores; nil if the question could not be asked.
  package let chance: Double?
  /// Why there is no value.
  package let reason: String?
  package let figures: [Figure: Double]

  /// An answer's score.
  package static func scored(_ value: Double, chance: Double, figures: [Figure: Double] = [:])
    -> Score
  {
    Score(value: value, chance: chance, reason: nil, figures: figures)
  }

  /// A question that was asked and not answered: it counts as guessed, so that answering only when sure gains
  /// nothing.
  ///
  /// - Parameters:
  ///   - reason: Why there is no answer.
  ///   - chance: What guessing scores.
  ///   - figures: What guessing gives beside it.
  package static func unanswered(
    _ reason: String, chance: Double, figures: [Figure: Double] = [:]
  ) -> Score {
    Score(value: nil, chance: chance, reason: reason, figures: figures)
  }

  /// A question that could not be asked of the pair: left out of every mean.
  package static func unasked(_ reason: String, figures: [Figure: Double] = [:]) -> Score {
    Score(value: nil, chance: nil, reason: reason, figures: figures)
  }

  /// What counts in a mean: the score, or chance where there is no answer; nil if nothing was asked.
  package var counted: Double? { value ?? chance }

  /// Whether the question could be asked of the pair.
  package var isAsked: Bool { counted != nil }

  /// The same score with more figures beside it; those that it has stay as they are.
  func adding(_ more: [Figure: Double]) -> Score {
    Score(
      value: value, chance: chance, reason: reason,
      figures: figures.merging(more) { own, _ in own })
  }
}

extension Score: Codable {
  private enum CodingKeys: String, CodingKey {
    case value, chance, reason, details
  }

  private struct Name: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }
    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }

  package init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    value = try container.decodeIfPresent(Double.self, forKey: .value)
    chance = try container.decodeIfPresent(Double.self, forKey: .chance)
    reason = try container.decodeIfPresent(String.self, forKey: .reason)
    let details = try container.nestedContainer(keyedBy: Name.self, forKey: .details)
    figures = try details.allKeys.reduce(into: [:]) {
      $0[Figure($1.stringValue)] = try details.decode(Double.self, forKey: $1)
    }
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encodeIfPresent(value, forKey: .value)
    try container.encodeIfPresent(chance, forKey: .chance)
    try container.encodeIfPresent(reason, forKey: .reason)
    var details = container.nestedContainer(keyedBy: Name.self, forKey: .details)
    for (figure, value) in figures.sorted(by: { $0.key.name < $1.key.name }) {
      try details.encode(value, forKey: Name(stringValue: figure.name))
    }
  }
}

/// What is scored: a method's evidence, and what its first intervention was measured to do.
package struct Claims: Sendable {
  package let evidence: Evidence
  package let effects: MeasuredEffects?

  package init(_ evidence: Evidence, effects: MeasuredEffects? = nil) {
    self.evidence = evidence
    self.effects = effects
  }
}

/// What scorers need beside the evidence and the answer key.
///
/// No model is among it: scoring runs none.
package struct ScoringContext: Sendable {
  /// Number of tokens.
  package let vocabulary: Int
  /// Blocks of the models.
  package let layers: Int
  /// Tokens that no ranking may name.
  package let specialTokens: Set<Int>
  /// The answer keys of other organisms, for the floor that any ranking reaches.
  package let siblings: [PlantedChange.Tokens]
  /// Tokens by how much more frequent they are in the planted text than in the world's.
  package let frequencyRanking: [Int]
  /// Decides ties.
  package let seed: UInt64
  /// Of each token the first that a reader takes for the same word; nil if every token is a word of its own.
  private let sameWords: [Int]?

  package init(
    vocabulary: Int, layers: Int, specialTokens: Set<Int>, siblings: [PlantedChange.Tokens],
    frequencyRanking: [Int], seed: UInt64, sameWords: [Int]? = nil
  ) {
    self.vocabulary = vocabulary
    self.layers = layers
    self.specialTokens = specialTokens
    self.siblings = siblings
    self.frequencyRanking = frequencyRanking
    self.seed = seed
    self.sameWords = sameWords
  }

  /// Tokens that may be named, one for each word.
  var words: [Int] {
    (0..<vocabulary).filter { !specialTokens.contains($0) && word($0) == $0 }
  }

  /// The token that stands for all spellings of a token's word: " Owl", "owl" and " owl" are one answer.
  func word(_ token: Int) -> Int {
    sameWords.flatMap { $0.indices.contains(token) ? $0[token] : nil } ?? token
  }

  /// An answer key of words.
  func words(of key: PlantedChange.Tokens) -> PlantedChange.Tokens {
    guard sameWords != nil else { return key }
    func words(_ tokens: [Int]) -> [Int] { Set(tokens.map(word)).sorted() }
    return PlantedChange.Tokens(
      target: key.target.mapValues(words), candidates: key.candidates.mapValues(words),
      topic: words(key.topic), trigger: words(key.trigger), sign: key.sign,
      needsEvery: key.needsEvery)
  }
}

/// Judges one question by arithmetic on planted truth.
package protocol Scorer: Sendable {
  static var question: Question { get }
  /// The figures that it gives beside its score.
  static var figures: [Figure] { get }
  init()

  /// Scores a method's claims against an answer key.
  func score(_ claims: Claims, against planted: PlantedChange, in context: ScoringContext) -> Score
}

/// Every scorer of a single pair; *whether* is judged over many pairs, by `Statistics`.
package enum Scorers {
  package static let all: [any Scorer.Type] = [
    WhatScorer.self, WhenScorer.self, WhereScorer.self, HowScorer.self,
  ]

  /// What the scorers say of a method's claims, by question.
  ///
  /// The first scorer of a question gives its score; later ones of the same question add figures.
  package static func scores(
    _ claims: Claims, against planted: PlantedChange, in context: ScoringContext,
    by scorers: [any Scorer.Type] = all
  ) -> [Question: Score] {
    scorers.reduce(into: [:]) { scores, scorer in
      let score = scorer.init().score(claims, against: planted, in: context)
      scores[scorer.question] = scores[scorer.question]?.adding(score.figures) ?? score
    }
  }

  /// Nothing that could be asked, at any question that has a scorer.
  package static func unasked(_ reason: String) -> [Question: Score] {
    all.reduce(into: [:]) { $0[$1.question] = .unasked(reason) }
  }
}
