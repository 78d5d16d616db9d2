internal import Diffing

/// What the bench asks of a worker: methods to run on one pair at one level of access.
struct WorkerRequest: Codable {
  /// A method and what its evidence is kept under.
  struct Item: Codable {
    let method: String
    let key: String
  }

  let pair: PairName
  let seeds: TrialSeeds
  /// The digest of the models that the keys are about.
  let models: String
  let access: AccessLevel
  let items: [Item]

  init(
    _ pair: PairName, _ seeds: TrialSeeds, models: String, access: AccessLevel,
    _ methods: [KeyedMethod]
  ) {
    self.pair = pair
    self.seeds = seeds
    self.models = models
    self.access = access
    items = methods.map { Item(method: $0.run.card.id, key: $0.key) }
  }
}

/// What a worker answers: one for each method, and one without a method at the end.
struct WorkerReply: Codable {
  let method: String?
  let evidence: CellEvidence?
  /// Why there is no evidence; at the end, why the pair could not be run on at all.
  let failure: String?

  static func silence(_ method: String, _ failure: String) -> WorkerReply {
    WorkerReply(method: method, evidence: nil, failure: failure)
  }

  static func end(_ failure: String? = nil) -> WorkerReply {
    WorkerReply(method: nil, evidence: nil, failure: failure)
  }
}
