package import Diffing
internal import Files
internal import Foundation
package import JSON
internal import Tensors

/// What a method said of a pair, and what that took: a line of JSON, kept under a key.
///
/// `Fixtures/evidence.schema.json` describes it to other programs.
package struct CellEvidence: Codable, Equatable, Sendable {
  /// What the run cost, as if no other method had run before it.
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

    package init(
      seconds: Double, tokensForward: Int, tokensBackward: Int, tokensShared: Int, peakMemory: Int
    ) {
      self.seconds = seconds
      self.tokensForward = tokensForward
      self.tokensBackward = tokensBackward
      self.tokensShared = tokensShared
      self.peakMemory = peakMemory
    }
  }

  /// What decided the numbers.
  package struct Versions: Codable, Equatable, Sendable {
    /// The digest of both models.
    package let pair: String
    /// The digest of the sources that the evidence depends on.
    package let sources: String
    package let openBLASCore: String
    package let kernels: String

    package init(pair: String, sources: String, openBLASCore: String, kernels: String) {
      self.pair = pair
      self.sources = sources
      self.openBLASCore = openBLASCore
      self.kernels = kernels
    }

    /// Those of this machine.
    init(pair: String, sources: String) {
      self.init(
        pair: pair, sources: sources, openBLASCore: Tensors.openBLASCore,
        kernels: Tensors.kernelLevel)
    }
  }

  /// The digest of everything that decides the evidence.
  package let key: String
  package let cell: Cell
  /// The method's hyperparameters.
  package let hyperparameters: JSONValue
  package let evidence: Evidence
  package let cost: Cost
  package let versions: Versions

  package init(
    key: String, cell: Cell, hyperparameters: JSONValue, evidence: Evidence, cost: Cost,
    versions: Versions
  ) {
    self.key = key
    self.cell = cell
    self.hyperparameters = hyperparameters
    self.evidence = evidence
    self.cost = cost
    self.versions = versions
  }

  /// The digest of what a method's evidence depends on.
  ///
  /// - Parameters:
  ///   - method: The method's id.
  ///   - hyperparameters: What else decides what it does.
  ///   - access: What it looks at.
  ///   - text: The digest of the text that it is given.
  ///   - pair: The digest of both models.
  ///   - sources: Those that decide its numbers.
  ///   - seed: The method's.
  static func key(
    _ method: String, _ hyperparameters: some Encodable, _ access: AccessLevel, text: String,
    pair: String, sources: String, seed: UInt64
  ) throws -> String {
    var hash = ContentHash()
    for part in [
      sources, pair, text, method, try ContentHash.ofSorted(hyperparameters), access.rawValue,
      "\(seed)",
    ] { hash.mix(part) }
    return hash.text
  }
}
