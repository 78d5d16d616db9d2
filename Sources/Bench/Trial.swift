package import Diffing
internal import Foundation
internal import JSON
package import Scoring

/// One method at one level of access on one pair: a line of JSON.
package struct Trial: Codable, Equatable, Sendable {
  /// What a trial cost, as if no other method had run before it.
  package struct Cost: Codable, Equatable, Sendable {
    package let seconds: Double
    /// Tokens that the models read or wrote.
    package let tokensForward: Int
    /// Tokens that gradients were computed of.
    package let tokensBackward: Int
    /// How many of `tokensForward` came from recordings that an earlier method had made.
    package let tokensShared: Int
    /// The process's largest memory so far, in bytes.
    package let peakMemory: Int
  }

  /// What decided the numbers.
  package struct Provenance: Codable, Equatable, Sendable {
    package let pair: String
    package let sources: String
    package let openBLASCore: String
    package let kernels: String
  }

  /// The digest of everything that decides the trial.
  package let key: String
  package let method: String
  package let access: AccessLevel
  package let subject: String
  package let family: String
  package let regime: String
  /// What plants and the nulls that they are compared with have in common.
  package let recipe: String
  /// The seed of the base.
  package let seed: UInt64
  package let role: PairRole
  /// The plant that a null pair is matched with, as `organism@regime`.
  package let match: String?
  /// Whether the behaviour was certified; always true for null pairs.
  package let isInstalled: Bool
  package let answersWhether: Bool
  package let magnitude: Double?
  /// The digest of the evidence.
  package let evidence: String
  /// Scores by question.
  package let scores: [String: Score]
  package let cost: Cost
  package let provenance: Provenance

  package var isNull: Bool { role != .planted }

  /// The score of a question.
  package func score(_ question: Question) -> Score? { scores[question.rawValue] }

  /// The cell of the table that the trial fills.
  package var cell: String { "\(method)@\(access.rawValue) \(subject)@\(regime) base-\(seed)" }
}

extension Evidence {
  /// The digest of all claims.
  package func digest() -> String {
    var hash = ContentHash()
    if let magnitude { hash.mix("whether \(magnitude)") }
    // Numbers directly: the JSON of whole rankings and changes would cost more than some methods.
    for claim in tokens ?? [] {
      hash.mix(numbers: [Float(claim.token), claim.score, Float(claim.sign)])
    }
    for claim in inputs ?? [] { hash.mix(numbers: [Float(claim.row), claim.score]) }
    for claim in sites ?? [] { hash.mix("\(claim.site) \(claim.score)") }
    for intervention in interventions ?? [] { intervention.mix(into: &hash) }
    return hash.text
  }
}

extension ProposedIntervention {
  fileprivate func mix(into hash: inout ContentHash) {
    switch self {
    case .steer(let layer, let direction):
      hash.mix("steer \(layer)")
      hash.mix(numbers: direction)
    case .project(let layer, let direction):
      hash.mix("project \(layer)")
      hash.mix(numbers: direction)
    case .patch(let module): hash.mix("patch \(module)")
    case .weights(let changes):
      for change in changes {
        hash.mix(change.name)
        hash.mix(numbers: change.change)
      }
    }
  }
}
