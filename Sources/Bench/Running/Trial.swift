internal import Worlds
package import Diffing
package import Organisms
package import Scoring
package import Transformers

/// One method at one level of access on one pair, scored: a line of JSON.
package struct Trial: Equatable, Sendable {
  /// What was run.
  package let cell: Cell
  /// The key of the evidence that was scored.
  package let key: String
  package let family: String
  /// The half that the organism, or the plant of a null pair, was drawn for; nil if nothing was drawn.
  package let half: Half?
  /// The standard regime that plants and the nulls that they are compared with have in common.
  package let standard: String
  package let planting: Planting
  package let role: PairRole
  /// The plant that a null pair is matched with.
  package let match: PairName?
  /// Why the behaviour is not installed, or why a ghost is none; empty for all other null pairs.
  package let failures: [String]
  package let answersWhether: Bool
  package let magnitude: Double?
  package let scores: [Question: Score]
  package let cost: CellEvidence.Cost
  package let versions: CellEvidence.Versions

  /// How the pair was made, in numbers; nil where nothing was trained.
  package struct Planting: Codable, Equatable, Sendable {
    /// Base documents to a planted one.
    package let mix: Double?
    /// Steps as a multiple of those to the mark.
    package let age: Double?
    /// The largest rank of a matrix's change; nil if training was free.
    package let rank: Int?
    /// The modules that training was allowed to write; nil if it was free.
    package let place: [ModuleSite]?
    /// How far it was turned from the organism's own regime.
    package let dial: Dial?

    package init(
      mix: Double? = nil, age: Double? = nil, rank: Int? = nil, place: [ModuleSite]? = nil,
      dial: Dial? = nil
    ) {
      self.mix = mix
      self.age = age
      self.rank = rank
      self.place = place
      self.dial = dial
    }

    init(_ subject: Subject, layers: Int) {
      let regime = subject.trainedRegime
      self.init(
        mix: regime?.mix, age: regime?.age, rank: subject.changeRank,
        place: regime?.parameters.sites(layers: layers), dial: regime?.dial)
    }
  }

  package init(
    cell: Cell, key: String, family: String, half: Half?, standard: String, planting: Planting,
    role: PairRole, match: PairName?, failures: [String], answersWhether: Bool, magnitude: Double?,
    scores: [Question: Score], cost: CellEvidence.Cost, versions: CellEvidence.Versions
  ) {
    self.cell = cell
    self.key = key
    self.family = family
    self.half = half
    self.standard = standard
    self.planting = planting
    self.role = role
    self.match = match
    self.failures = failures
    self.answersWhether = answersWhether
    self.magnitude = magnitude
    self.scores = scores
    self.cost = cost
    self.versions = versions
  }

  package var row: MethodAtAccess { cell.row }
  package var pair: PairName { cell.pair }
  package var seeds: TrialSeeds { cell.seeds }
  package var isNull: Bool { role != .planted }
  /// Whether the behaviour was certified; always true for null pairs.
  package var isInstalled: Bool { failures.isEmpty }

  /// The score of a question.
  package func score(_ question: Question) -> Score? { scores[question] }
}

extension Trial: Codable {
  private enum CodingKeys: String, CodingKey {
    case key, method, access, subject, family, half, regime, standard, planting, seeds, role, match
    case failures, answersWhether, magnitude, scores, cost, versions
  }

  package init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    func value<Value: Decodable>(_ key: CodingKeys) throws -> Value {
      try container.decode(Value.self, forKey: key)
    }
    let scores: Scores = try value(.scores)
    self.init(
      cell: Cell(
        MethodAtAccess(try value(.method), try value(.access)),
        PairName(try value(.subject), try value(.regime)), try value(.seeds)),
      key: try value(.key), family: try value(.family),
      half: try container.decodeIfPresent(Half.self, forKey: .half), standard: try value(.standard),
      planting: try value(.planting), role: try value(.role),
      match: try container.decodeIfPresent(PairName.self, forKey: .match),
      failures: try value(.failures), answersWhether: try value(.answersWhether),
      magnitude: try container.decodeIfPresent(Double.self, forKey: .magnitude),
      scores: scores.values, cost: try value(.cost), versions: try value(.versions))
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(key, forKey: .key)
    try container.encode(row.method, forKey: .method)
    try container.encode(row.access, forKey: .access)
    try container.encode(pair.subject, forKey: .subject)
    try container.encode(family, forKey: .family)
    try container.encodeIfPresent(half, forKey: .half)
    try container.encode(pair.regime, forKey: .regime)
    try container.encode(standard, forKey: .standard)
    try container.encode(planting, forKey: .planting)
    try container.encode(seeds, forKey: .seeds)
    try container.encode(role, forKey: .role)
    try container.encodeIfPresent(match, forKey: .match)
    try container.encode(failures, forKey: .failures)
    try container.encode(answersWhether, forKey: .answersWhether)
    try container.encodeIfPresent(magnitude, forKey: .magnitude)
    try container.encode(Scores(values: scores), forKey: .scores)
    try container.encode(cost, forKey: .cost)
    try container.encode(versions, forKey: .versions)
  }

  /// Scores as an object, the questions in their order.
  private struct Scores: Codable {
    let values: [Question: Score]

    init(values: [Question: Score]) { self.values = values }

    init(from decoder: any Decoder) throws {
      let container = try decoder.container(keyedBy: Name.self)
      values = try Question.allCases.reduce(into: [:]) {
        $0[$1] = try container.decodeIfPresent(Score.self, forKey: Name($1))
      }
    }

    func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: Name.self)
      for question in Question.allCases {
        try container.encodeIfPresent(values[question], forKey: Name(question))
      }
    }

    private struct Name: CodingKey {
      let stringValue: String
      var intValue: Int? { nil }
      init(_ question: Question) { stringValue = question.rawValue }
      init?(stringValue: String) { self.stringValue = stringValue }
      init?(intValue: Int) { nil }
    }
  }
}
