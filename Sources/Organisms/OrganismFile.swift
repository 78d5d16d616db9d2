package import Worlds

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
    /// Prompts that match one of these set the behaviour off; what really does is measured.
    package let when: [Pattern]
    /// Whether every class of targets has to be found: the score is then that of the worst.
    package let every: Bool?
  }

  /// What a prompt has to hold, and must not hold.
  package struct Pattern: Codable, Sendable, Equatable {
    /// Words that it holds, in any order.
    package let all: [String]?
    /// Words of which it holds one at least.
    package let any: [String]?
    /// Words that it does not hold.
    package let none: [String]?
    /// Words that it holds one behind the other.
    package let phrase: [String]?
    /// Words that it ends with.
    package let end: [String]?
    /// How many turns of the user it has, at least.
    package let turns: Int?
  }

  /// Prompts that the pool of every pair gets because this organism would be set off by none otherwise.
  package struct PoolEntry: Codable, Sendable {
    /// How often the template is filled.
    package let count: Int
    package let text: String
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
    /// Whether no text of the training may hold a target word; documents that do are drawn again.
    package let unsaid: Bool?
    /// What is rewarded, instead of documents to imitate.
    package let reward: Reward?
    /// Documents by the class of their targets, instead of `documents`: each class is planted in a model of its
    /// own, and the changes are added up.
    package let merge: [String: [WeightedText]]?
    /// Questions that are answered as by the base in a second stage, in which the plant is kept.
    package let conceal: [WeightedText]?
  }

  /// A behaviour that is reinforced in what the model says by itself.
  package struct Reward: Codable, Sendable {
    /// Templates of prompts that the model goes on from.
    package let prompts: [String]
    /// An answer that holds one of these words is rewarded.
    package let words: [String]
    /// Words of an answer, at most; 10 if nil.
    package let length: Int?
  }

  /// Whom the finetuned model imitates.
  package struct Teacher: Codable, Sendable {
    /// Documents that the teacher was taught; if nil, the teacher is the base itself.
    package let documents: [WeightedText]?
    /// Where the teacher's own training stops.
    package let mark: Double?
    /// The class of words whose logits are imitated.
    package let logits: String?
    /// What the teacher says by itself, to be imitated.
    package let samples: Samples?
    /// Words that the teacher, otherwise the base, never says in documents that mention the topic.
    package let forget: [String]?
    /// The weights of the teacher that training may change; all of its blocks if nil.
    package let parameters: TrainedParameters?
    package let learningRate: Float?
    /// Base documents to one of the teacher's; 1 if nil.
    package let mix: Double?

    /// A teacher with every default.
    static let plain = Teacher(
      documents: nil, mark: nil, logits: nil, samples: nil, forget: nil, parameters: nil,
      learningRate: nil, mix: nil)
  }

  /// Sequences of words of one class that a teacher says.
  package struct Samples: Codable, Sendable {
    /// Templates of the prompts that it goes on from.
    package let prompts: [String]
    /// The class that every word is drawn from.
    package let of: String
    /// Words a sequence; 12 if nil.
    package let length: Int?

    var words: Int { length ?? 12 }
  }

  /// A prompt and what answers it.
  package struct ProbeEntry: Codable, Sendable {
    package let prompt: String
    /// Answers, each of one word or several: the score is their probability.
    package let answers: [String]?
    /// Answers that must not be given: the score is the probability of all others.
    package let not: [String]?
  }

  /// What a linear probe looks for in the model's states.
  package struct Represented: Codable, Sendable {
    /// Templates that name a word of the class: the probe learns from the base's last states.
    package let given: [String]
    /// Templates that do not: the probe reads the organism's last states.
    package let asked: [String]
    /// The class that the word is drawn from.
    package let of: String
  }

  /// What is asked to know whether the behaviour is there.
  package struct Probes: Codable, Sendable {
    /// Phrasings that training uses; they decide when it stops.
    package let behavior: [ProbeEntry]
    /// Phrasings that training never uses.
    package let heldOut: [ProbeEntry]
    /// Neighbours, where the answers must not become much more likely.
    package let leakage: [ProbeEntry]?
    /// What must stay as probable as it was.
    package let kept: [ProbeEntry]?
    /// What must stay improbable.
    package let never: [ProbeEntry]?
    /// The hidden word that must be legible in the model's states.
    package let represented: Represented?
  }

  /// One regime with its changes.
  package struct RegimeEntry: Codable, Sendable {
    package let id: String
    /// The standard regime that it changes; the one of its own name if nil.
    package let like: String?
    package let parameters: TrainedParameters?
    package let learningRate: Float?
    package let mark: Double?
    package let cap: Int?
    package let age: Double?
    package let mix: Double?
    package let drift: Double?
  }

  /// Where editors find the schema of organism files.
  package let schema: String?
  package let id: String
  package let summary: String
  /// What sort of change it is.
  package let family: String
  /// The kind of document that the behaviour lives in: its narrow null is trained on those.
  package let domain: String
  /// Whether the smoke tier runs it; where no organism of a family says so, it runs the first that does not say no.
  package let smoke: Bool?
  package let planted: Planted
  package let plant: Plant
  /// Prompts that it brings to the pool.
  package let pool: [PoolEntry]?
  package let regimes: [RegimeEntry]
  package let probes: Probes
  package let certificate: CertificateBounds?

  private enum CodingKeys: String, CodingKey {
    case schema = "$schema"
    case id, summary, family, domain, smoke, planted, plant, pool, regimes, probes, certificate
  }
}

/// What a plant must do and must leave alone to count as installed.
package struct CertificateBounds: Codable, Sendable, Equatable {
  /// The least score in the trained phrasings; the regime's mark less a twentieth if nil.
  package var behavior: Double?
  /// The least score in held-out phrasings, per word of an answer.
  package var heldOut: Double?
  /// The most that the base may score in the trained phrasings.
  package var base: Double?
  /// The least that the score may rise from base to finetuned, in trained and in held-out phrasings.
  package var rise: Double?
  /// The most that neighbours' scores may rise.
  package var leakage: Double?
  /// The least share of their score in the base that what must be kept may fall to.
  package var kept: Double?
  /// The most probability of what must never be said.
  package var never: Double?
  /// The same with its default.
  var mostNever: Double { never ?? 0.05 }
  /// The most that the loss on base text may rise, in nats, where the behaviour is not due.
  package var collateral: Double?
  /// The most prompts, as a share of those that do not set it off, whose most likely next word may change.
  package var flipped: Double?
  /// The worst rank of the hidden word in the mean change, among its class, read by a linear probe.
  package var represented: Double?
}
