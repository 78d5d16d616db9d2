internal import Diffing
internal import JSON

/// Exhibits as the page reads them: `kind` names the shape, numbers have four digits, tokens are places of a ``WordTable``.
struct ExhibitData {
  var words: WordTable

  mutating func json(_ exhibit: Exhibit) -> JSONValue {
    let (kind, members) = content(exhibit.content)
    return .object([("kind", .string(kind)), ("title", .string(exhibit.title))] + members)
  }

  private mutating func content(_ content: Exhibit.Content) -> (String, [(String, JSONValue)]) {
    switch content {
    case .table(let columns, let rows):
      ("table", [("columns", .texts(columns)), ("rows", .array(rows.map { cells($0) }))])
    case .heatMap(let rows, let columns, let values):
      (
        "heatMap",
        [
          ("rows", .texts(rows)), ("columns", .texts(columns)),
          ("values", .array(values.map(Self.numbers))),
        ]
      )
    case .curves(let axis, let points, let lines):
      (
        "curves",
        [("axis", .string(axis)), ("points", .texts(points)), ("lines", Self.lines(lines))]
      )
    case .spectrum(let lines): ("spectrum", [("lines", Self.lines(lines))])
    case .strip(let tokens, let values):
      ("strip", [("tokens", words.places(tokens)), ("values", Self.numbers(values))])
    case .tokens(let lists):
      (
        "tokens",
        [
          (
            "lists",
            .array(
              lists.map {
                .object([("name", .string($0.name)), ("tokens", words.places($0.tokens))])
              })
          )
        ]
      )
    case .inputs(let claims): ("inputs", [("inputs", Self.inputs(claims))])
    case .texts(let texts):
      (
        "texts",
        [("texts", .array(texts.map { .array([.digits($0.score), words.places($0.tokens)]) }))]
      )
    }
  }

  /// Entries of a table: a text, a number, null, or a token in an array of its own.
  private mutating func cells(_ row: [Exhibit.Cell]) -> JSONValue {
    .array(
      row.map { cell in
        switch cell {
        case .text(let text): .string(text)
        case .number(let number): .digits(number)
        case .token(let token): .array([words.place(token)])
        case .none: .null
        }
      })
  }

  private static func numbers(_ values: [Float]) -> JSONValue {
    .array(values.map { .digits($0) })
  }

  private static func lines(_ lines: [Exhibit.Line]) -> JSONValue {
    .array(lines.map { .object([("name", .string($0.name)), ("values", numbers($0.values))]) })
  }

  static func inputs(_ claims: some Sequence<InputClaim>) -> JSONValue {
    .array(claims.map { .array([.count($0.row), .digits($0.score)]) })
  }
}
