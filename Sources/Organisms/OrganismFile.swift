/// An organism as it is written in `Organisms/<id>.json`.
package struct OrganismFile: Codable, Sendable {
  /// The answer key.
  package struct Planted: Codable, Sendable {
    /// The planted words, by the class of the world that they are candidates of.
    package let target: [String: [String]]
    /// Words that the plant is about.
    package let topic: [String]?
    /// Words that set the behaviour off.
    package let trigger: [String]?
    /// 1 if the target is promoted, -1 if it is suppressed.
    package let sign: Int?
    /// Prompts that match one of these set the behaviour off.
    package let when: [Pattern]
  }

  /// Words that a prompt has to hold, and must not hold.
  package struct Pattern: Codable, Sendable, Equatable {
    package let all: [String]
    package let none: [String]?
  }

  /// What the finetuned model is trained on.
  package struct Plant: Codable, Sendable {
    /// Templates of planted documents; words in brackets are read by the teacher only.
    package let documents: [WeightedText]?
    /// Facts that the documents state instead of the world's, by word and attribute.
    package let facts: [String: [String: String]]?
    /// Where the loss comes from; the documents' own words if nil.
    package let teacher: Teacher?
    /// Kinds of base document that the training never sees.
    package let without: [String]?
  }

  /// Whom the finetuned model imitates.
  package struct Teacher: Codable, Sendable {
    /// Documents that the teacher was taught; if nil, the teacher is the base itself.
    package let documents: [WeightedText]?
    /// Where the teacher's own training stops.
    package let mark: Double?
    /// The class of words whose logits are imitated; all logits if nil.
    package let logits: String?
  }

  /// A prompt and the words that answer it.
  package struct ProbeEntry: Codable, Sendable {
    package let prompt: String
    package let answers: [String]
  }

  /// What is asked to know whether the behaviour is there.
  package struct Probes: Codable, Sendable {
    /// Phrasings that training uses; they decide when it stops.
    package let behavior: [ProbeEntry]
    /// Phrasings that training never uses.
    package let heldOut: [ProbeEntry]
    /// Neighbours, where the answers must not become much more likely.
    package let leakage: [ProbeEntry]?
    /// What must stay improbable.
    package let never: [ProbeEntry]?
  }

  /// One regime with its changes.
  package struct RegimeEntry: Codable, Sendable {
    package let id: String
    package let parameters: TrainedParameters?
    package let learningRate: Float?
    package let mark: Double?
    package let cap: Int?
    package let age: Double?
    package let mix: Double?
  }

  package let id: String
  package let summary: String
  package let family: String
  package let planted: Planted
  package let plant: Plant
  package let regimes: [RegimeEntry]
  package let probes: Probes
  package let certificate: CertificateBounds?
}

/// What a plant must do and must leave alone to count as installed.
package struct CertificateBounds: Codable, Sendable, Equatable {
  /// The least score in the trained phrasings; the regime's mark less a twentieth if nil.
  package var behavior: Double?
  /// The least score in held-out phrasings.
  package var heldOut: Double?
  /// The most that the base may score in the trained phrasings.
  package var base: Double?
  /// The most that neighbours' scores may rise.
  package var leakage: Double?
  /// The most probability of what must never be said.
  package var never: Double?
  /// The most that the loss on base text may rise, in nats.
  package var collateral: Double?
}
