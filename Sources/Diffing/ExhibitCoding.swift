// Exhibits as JSON: an object whose one key beside `title` names the kind.

extension Exhibit: Codable {
  private enum CodingKeys: String, CodingKey {
    case title, table, heatMap, curves, spectrum, strip, tokens, inputs, texts
  }

  private struct Table: Codable {
    let columns: [String]
    let rows: [[Cell]]
  }

  private struct HeatMap: Codable {
    let rows, columns: [String]
    let values: [PackedNumbers]
  }

  private struct Curves: Codable {
    let axis: String
    let points: [String]
    let lines: [Line]
  }

  private struct Strip: Codable {
    let tokens: PackedIndices
    let values: PackedNumbers
  }

  /// Reads what `encode(to:)` writes.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    title = try container.decode(String.self, forKey: .title)
    content = try Self.content(container)
  }

  private static func content(_ container: KeyedDecodingContainer<CodingKeys>) throws -> Content {
    func find<Value: Decodable>(_ key: CodingKeys, _ type: Value.Type) throws -> Value? {
      try container.decodeIfPresent(type, forKey: key)
    }
    if let table = try find(.table, Table.self) {
      return .table(columns: table.columns, rows: table.rows)
    }
    if let map = try find(.heatMap, HeatMap.self) {
      return .heatMap(rows: map.rows, columns: map.columns, values: map.values.map(\.values))
    }
    if let curves = try find(.curves, Curves.self) {
      return .curves(axis: curves.axis, points: curves.points, lines: curves.lines)
    }
    if let strip = try find(.strip, Strip.self) {
      return .strip(tokens: strip.tokens.values, values: strip.values.values)
    }
    if let lines = try find(.spectrum, [Line].self) { return .spectrum(lines) }
    if let lists = try find(.tokens, [TokenList].self) { return .tokens(lists) }
    if let inputs = try find(.inputs, InputColumns.self) { return .inputs(try inputs.claims) }
    return .texts(try container.decode([ScoredText].self, forKey: .texts))
  }

  /// Writes it as `Fixtures/evidence.schema.json` describes.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(title, forKey: .title)
    switch content {
    case .table(let columns, let rows):
      try container.encode(Table(columns: columns, rows: rows), forKey: .table)
    case .heatMap(let rows, let columns, let values):
      try container.encode(
        HeatMap(rows: rows, columns: columns, values: values.map(PackedNumbers.init)),
        forKey: .heatMap)
    case .curves(let axis, let points, let lines):
      try container.encode(Curves(axis: axis, points: points, lines: lines), forKey: .curves)
    case .spectrum(let lines): try container.encode(lines, forKey: .spectrum)
    case .strip(let tokens, let values):
      try container.encode(
        Strip(tokens: PackedIndices(tokens), values: PackedNumbers(values)), forKey: .strip)
    case .tokens(let lists): try container.encode(lists, forKey: .tokens)
    case .inputs(let claims): try container.encode(InputColumns(claims), forKey: .inputs)
    case .texts(let texts): try container.encode(texts, forKey: .texts)
    }
  }
}

extension Exhibit.Cell: Codable {
  private enum CodingKeys: String, CodingKey {
    case token
  }

  /// Reads what `encode(to:)` writes.
  public init(from decoder: any Decoder) throws {
    let value = try decoder.singleValueContainer()
    if value.decodeNil() {
      self = .none
    } else if let number = try? value.decode(Float.self) {
      self = .number(number)
    } else if let text = try? value.decode(String.self) {
      self = .text(text)
    } else {
      self = .token(
        try decoder.container(keyedBy: CodingKeys.self).decode(Int.self, forKey: .token))
    }
  }

  /// Writes it as `Fixtures/evidence.schema.json` describes.
  public func encode(to encoder: any Encoder) throws {
    switch self {
    case .token(let token):
      var container = encoder.container(keyedBy: CodingKeys.self)
      try container.encode(token, forKey: .token)
    case .text(let text):
      var container = encoder.singleValueContainer()
      try container.encode(text)
    // JSON knows no infinity.
    case .number(let number) where number.isFinite:
      var container = encoder.singleValueContainer()
      try container.encode(number)
    case .number, .none:
      var container = encoder.singleValueContainer()
      try container.encodeNil()
    }
  }
}

extension Exhibit.Line: Codable {
  private enum CodingKeys: String, CodingKey {
    case name, values
  }

  /// Reads what `encode(to:)` writes.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    name = try container.decode(String.self, forKey: .name)
    values = try container.decode(PackedNumbers.self, forKey: .values).values
  }

  /// Writes it as `Fixtures/evidence.schema.json` describes.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(name, forKey: .name)
    try container.encode(PackedNumbers(values), forKey: .values)
  }
}

extension Exhibit.TokenList: Codable {
  private enum CodingKeys: String, CodingKey {
    case name, tokens
  }

  /// Reads what `encode(to:)` writes.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    name = try container.decode(String.self, forKey: .name)
    tokens = try container.decode(PackedIndices.self, forKey: .tokens).values
  }

  /// Writes it as `Fixtures/evidence.schema.json` describes.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(name, forKey: .name)
    try container.encode(PackedIndices(tokens), forKey: .tokens)
  }
}

extension Exhibit.ScoredText: Codable {
  private enum CodingKeys: String, CodingKey {
    case tokens, score
  }

  /// Reads what `encode(to:)` writes.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    tokens = try container.decode(PackedIndices.self, forKey: .tokens).values
    score = try container.decode(Float.self, forKey: .score)
  }

  /// Writes it as `Fixtures/evidence.schema.json` describes.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(PackedIndices(tokens), forKey: .tokens)
    try container.encode(score, forKey: .score)
  }
}
