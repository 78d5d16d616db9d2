// Evidence as JSON, as `Fixtures/evidence.schema.json` describes it: rankings that are kept are columns,
// so that long ones stay short; those that are shown are lists of claims, for people and for jq.

extension Evidence: Codable {
  private enum CodingKeys: String, CodingKey {
    case magnitude, tokens, inputs, sites, interventions, exhibits
  }

  /// Reads what `encode(to:)` writes.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    magnitude = try container.decodeIfPresent(Double.self, forKey: .magnitude)
    tokens = try container.decodeIfPresent(Ranking<TokenColumns>.self, forKey: .tokens)?.claims
    inputs = try container.decodeIfPresent(Ranking<InputColumns>.self, forKey: .inputs)?.claims
    sites = try container.decodeIfPresent([SiteClaim].self, forKey: .sites)
    interventions = try container.decodeIfPresent(
      [ProposedIntervention].self, forKey: .interventions)
    exhibits = try container.decodeIfPresent([Exhibit].self, forKey: .exhibits) ?? []
    if let fault = fault() { throw DiffingError.badEvidence(fault) }
    self = withSoundExhibits()
  }

  /// Writes it as `Fixtures/evidence.schema.json` describes.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encodeIfPresent(magnitude, forKey: .magnitude)
    try container.encodeIfPresent(tokens.map(Ranking<TokenColumns>.init), forKey: .tokens)
    try container.encodeIfPresent(inputs.map(Ranking<InputColumns>.init), forKey: .inputs)
    try container.encodeIfPresent(sites, forKey: .sites)
    try container.encodeIfPresent(interventions, forKey: .interventions)
    if !exhibits.isEmpty { try container.encode(exhibits, forKey: .exhibits) }
  }
}

/// Claims as columns, as they are kept.
private protocol ClaimColumns: Codable {
  associatedtype Claim: Codable
  init(_ claims: [Claim])
  var claims: [Claim] { get throws }
}

/// Claims in one of the two forms: columns or a list.
private struct Ranking<Columns: ClaimColumns>: Codable {
  let claims: [Columns.Claim]

  init(_ claims: [Columns.Claim]) { self.claims = claims }

  init(from decoder: any Decoder) throws {
    let isList = (try? decoder.unkeyedContainer()) != nil
    claims = try isList ? [Columns.Claim](from: decoder) : Columns(from: decoder).claims
  }

  func encode(to encoder: any Encoder) throws {
    if PackedNumbers.writesLists { return try claims.encode(to: encoder) }
    try Columns(claims).encode(to: encoder)
  }
}

extension TokenColumns: ClaimColumns {}
extension InputColumns: ClaimColumns {}

/// Token claims by sign: ids and scores side by side.
private struct TokenColumns: Codable {
  struct Column: Codable {
    let ids: PackedIndices
    let scores: PackedNumbers

    init(_ claims: [TokenClaim]) {
      ids = PackedIndices(claims.map(\.token))
      scores = PackedNumbers(claims.map(\.score))
    }

    func claims(sign: Int) throws -> [TokenClaim] {
      try paired(ids, scores).map { TokenClaim(token: $0, score: $1, sign: sign) }
    }
  }

  let promoted, suppressed: Column

  init(_ claims: [TokenClaim]) {
    promoted = Column(claims.filter { $0.sign > 0 })
    suppressed = Column(claims.filter { $0.sign < 0 })
  }

  var claims: [TokenClaim] {
    get throws { try promoted.claims(sign: 1) + suppressed.claims(sign: -1) }
  }
}

/// Input claims: rows of the pool and scores side by side.
struct InputColumns: Codable {
  let rows: PackedIndices
  let scores: PackedNumbers

  init(_ claims: [InputClaim]) {
    rows = PackedIndices(claims.map(\.row))
    scores = PackedNumbers(claims.map(\.score))
  }

  var claims: [InputClaim] {
    get throws { try paired(rows, scores).map { InputClaim(row: $0, score: $1) } }
  }
}

/// Two columns of the same length, row by row.
///
/// - Throws: `DiffingError.badEvidence` if one is longer.
private func paired(_ indices: PackedIndices, _ numbers: PackedNumbers) throws -> [(Int, Float)] {
  guard indices.values.count == numbers.values.count else {
    throw DiffingError.badEvidence(
      "a ranking has \(indices.values.count) items and \(numbers.values.count) scores")
  }
  return Array(zip(indices.values, numbers.values))
}
