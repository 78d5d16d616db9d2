package import Scoring

/// One way to decide about a pair: what is known beforehand, and how many questions are asked.
package struct GameArm: Hashable, Codable, Sendable {
  /// What is known beforehand, and how the models are asked.
  package enum Source: Hashable, Sendable {
    /// Nothing: the models alone say what they expect.
    case probabilities
    /// Nothing, and the models are only heard: what they say, not what they expect.
    case samples
    /// What one method says, or some together.
    case methods([MethodAtAccess])
    /// What all methods say.
    case allMethods
    /// A language model plays, by its name.
    case agent(String)
  }

  package let source: Source
  package let budget: Int

  package init(_ source: Source, budget: Int) {
    self.source = source
    self.budget = budget
  }

  /// Who plays it.
  package var investigator: Investigator {
    Investigator(budget: budget, hearsOnly: source == .samples)
  }
}

extension GameArm.Source: Codable, CustomStringConvertible {
  package var description: String {
    switch self {
    case .probabilities: "probabilities"
    case .samples: "samples"
    case .methods(let rows): rows.map(\.description).joined(separator: "+")
    case .allMethods: "all-methods"
    case .agent(let model): "agent \(model)"
    }
  }

  package init(from decoder: any Decoder) throws {
    let text = try decoder.singleValueContainer().decode(String.self)
    switch text {
    case "probabilities": self = .probabilities
    case "samples": self = .samples
    case "all-methods": self = .allMethods
    case _ where text.hasPrefix("agent "): self = .agent(String(text.dropFirst(6)))
    default:
      let rows = text.split(separator: "+").map { MethodAtAccess(String($0)) }
      guard !rows.isEmpty, !rows.contains(nil) else {
        throw DecodingError.dataCorrupted(
          .init(codingPath: decoder.codingPath, debugDescription: "'\(text)' is no source"))
      }
      self = .methods(rows.compactMap(\.self))
    }
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(description)
  }
}
