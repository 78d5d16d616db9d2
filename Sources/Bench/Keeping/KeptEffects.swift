internal import Diffing
internal import Files
internal import Foundation
internal import JSON
package import Scoring
internal import Worlds

/// What an intervention was measured to do to a pair.
package struct KeptEffects: Codable, Sendable {
  let key: String
  package let effects: MeasuredEffects

  /// The digest of what effects depend on.
  ///
  /// - Parameters:
  ///   - proposal: The intervention.
  ///   - behavior: What is asked.
  ///   - pair: The digest of both models.
  ///   - sources: Those that decide the numbers.
  ///   - seed: Draws the random interventions beside it.
  static func key(
    _ proposal: ProposedIntervention, behavior: ProbeSet, pair: String, sources: String,
    seed: UInt64
  ) throws -> String {
    var hash = ContentHash()
    for part in [sources, pair, "\(seed)", behavior.digest, try JSON.encode(proposal)] {
      hash.mix(part)
    }
    return hash.text
  }
}

extension KeptEffects: KeyedValue {}
extension CellEvidence: KeyedValue {}

extension ProbeSet {
  /// The digest of everything that is asked.
  fileprivate var digest: String {
    var hash = ContentHash()
    for group in questions {
      for question in group {
        hash.mix("\(question.tokens) \(question.answers) \(question.isInverted)")
      }
      hash.mix("")
    }
    return hash.text
  }
}
