/// A JSON document as a tree; objects keep the order in which keys were written.
package indirect enum JSONValue: Equatable, Sendable {
  case null
  case bool(Bool)
  case integer(Int64)
  case unsigned(UInt64)  // only what does not fit an Int64
  case number(Double)
  case string(String)
  case array([JSONValue])
  case object([(key: String, value: JSONValue)])

  package static func == (a: JSONValue, b: JSONValue) -> Bool {
    switch (a, b) {
    case (.null, .null): true
    case (.bool(let x), .bool(let y)): x == y
    case (.integer(let x), .integer(let y)): x == y
    case (.unsigned(let x), .unsigned(let y)): x == y
    case (.number(let x), .number(let y)): x == y
    case (.string(let x), .string(let y)): Spelling(x) == Spelling(y)
    case (.array(let x), .array(let y)): x == y
    case (.object(let x), .object(let y)):
      x.count == y.count
        && zip(x, y).allSatisfy {
          Spelling($0.key) == Spelling($1.key) && $0.value == $1.value
        }
    default: false
    }
  }

  /// The document as text, the keys of every object sorted.
  package var sorted: String {
    switch self {
    case .null: "null"
    case .bool(let value): "\(value)"
    case .integer(let value): "\(value)"
    case .unsigned(let value): "\(value)"
    case .number(let value): "\(value)"
    case .string(let value): value.debugDescription
    case .array(let items): "[\(items.map(\.sorted).joined(separator: ","))]"
    case .object(let members):
      "{"
        + members.sorted { Spelling($0.key) < Spelling($1.key) }
        .map { "\($0.key.debugDescription):\($0.value.sorted)" }.joined(separator: ",") + "}"
    }
  }

  /// The value under `key`, or nil where this is no object or has no such key.
  package subscript(key: String) -> JSONValue? {
    guard case .object(let members) = self else { return nil }
    return members.first { Spelling($0.key) == Spelling(key) }?.value
  }

  /// What a person would call this kind of value.
  package var kind: String {
    switch self {
    case .null: "null"
    case .bool: "a boolean"
    case .integer, .unsigned: "an integer"
    case .number: "a number"
    case .string: "a string"
    case .array: "an array"
    case .object: "an object"
    }
  }
}
