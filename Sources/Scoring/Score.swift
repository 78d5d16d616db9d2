package import Diffing
package import Organisms

/// What one scorer says of one method's evidence on one pair.
package struct Score: Codable, Equatable, Sendable {
  /// From chance to 1, or nil if the question was not answered or could not be asked.
  package let value: Double?
  /// What guessing scores.
  package let chance: Double
  /// Why there is no value.
  package let reason: String?
  /// Further figures, by name.
  package let details: [String: Double]

  package static func scored(_ value: Double, chance: Double, details: [String: Double] = [:])
    -> Score
  {
    Score(value: value, chance: chance, reason: nil, details: details)
  }

  /// No score: left out of every mean, never counted as 0.
  package static func unscored(_ reason: String) -> Score {
    Score(value: nil, chance: 0, reason: reason, details: [:])
  }
}

/// What scorers need beside the evidence and the answer key.
package struct ScoringContext: Sendable {
  /// Number of tokens.
  package let vocabulary: Int
  /// Tokens that no ranking may name.
  package let specialTokens: Set<Int>
  /// The answer keys of other organisms, for the floor that any ranking reaches.
  package let siblings: [PlantedChange.Tokens]
  /// Tokens by how much more frequent they are in the planted text than in the world's.
  package let frequencyRanking: [Int]
  package let pair: ModelPair
  /// Decides ties and random controls.
  package let seed: UInt64
  /// What interventions have done to the pair so far.
  let operations = Operations()

  package init(
    vocabulary: Int, specialTokens: Set<Int>, siblings: [PlantedChange.Tokens],
    frequencyRanking: [Int], pair: ModelPair, seed: UInt64
  ) {
    self.vocabulary = vocabulary
    self.specialTokens = specialTokens
    self.siblings = siblings
    self.frequencyRanking = frequencyRanking
    self.pair = pair
    self.seed = seed
  }
}

/// Judges one question by arithmetic on planted truth.
package protocol Scorer: Sendable {
  static var question: Question { get }
  init()

  /// Scores evidence against an answer key.
  func score(_ evidence: Evidence, against planted: PlantedChange, in context: ScoringContext)
    -> Score
}

/// Every scorer of a single pair; *whether* is judged over many pairs by `Calibration`.
package enum Scorers {
  package static let all: [any Scorer.Type] = [
    WhatScorer.self, WhenScorer.self, WhereScorer.self, HowScorer.self,
  ]
}
