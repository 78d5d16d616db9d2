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
  ///   - labels: Which prompts set it off.
  ///   - text: The digest of the world's prompts.
  ///   - pair: The digest of both models.
  ///   - sources: Those that decide the numbers.
  ///   - seed: Draws the random interventions beside it.
  static func key(
    _ proposal: ProposedIntervention, behavior: ProbeSet, labels: [Bool], text: String,
    pair: String, sources: String, seed: UInt64
  ) throws -> String {
    var hash = ContentHash()
    for part in [
      sources, pair, "\(seed)", behavior.digest, text,
      labels.map { $0 ? "1" : "0" }.joined(), try JSON.encode(proposal),
    ] { hash.mix(part) }
    return hash.text
  }
}

/// What each prompt of the pool was measured to set off in a pair.
package struct KeptGains: Codable, Sendable {
  let key: String
  package let gains: AnswerGains

  /// The digest of what gains depend on.
  ///
  /// - Parameters:
  ///   - behavior: What was planted, as questions with their answers.
  ///   - targets: The planted words.
  ///   - text: The digest of the world's prompts.
  ///   - pair: The digest of both models.
  ///   - sources: Those that decide the numbers.
  static func key(
    _ behavior: ProbeSet, targets: [Int], text: String, pair: String, sources: String
  ) -> String {
    var hash = ContentHash()
    for part in [sources, pair, text, behavior.digest, "\(targets)"] { hash.mix(part) }
    return hash.text
  }
}

extension KeptGains: KeyedValue {}

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
