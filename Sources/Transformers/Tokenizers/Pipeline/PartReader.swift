internal import JSON

/// Reads the parts that a tokenizer's file is made of: `{"type": …}` with settings beside it.
struct PartReader {
  private let part: JSONValue
  /// What kind of part it is.
  let type: String

  /// - Throws: `UnsupportedPart`.
  init(_ part: JSONValue, _ role: String) throws {
    guard case .string(let type)? = part["type"] else {
      throw UnsupportedPart("a part of its '\(role)' has no type")
    }
    (self.part, self.type) = (part, type)
  }

  subscript(key: String) -> JSONValue? { part[key] }

  func text(_ key: String) throws -> String {
    guard case .string(let text)? = part[key] else {
      throw UnsupportedPart("'\(key)' of its '\(type)' is no text")
    }
    return text
  }

  func flag(_ key: String, default value: Bool) throws -> Bool {
    switch part[key] {
    case nil, .null: value
    case .bool(let flag): flag
    default: throw UnsupportedPart("'\(key)' of its '\(type)' is neither true nor false")
    }
  }

  func count(_ key: String) throws -> Int {
    guard case .integer(let count)? = part[key], (0...1 << 20).contains(count) else {
      throw UnsupportedPart("'\(key)' of its '\(type)' is no sensible number")
    }
    return Int(count)
  }

  func list(_ key: String) throws -> [JSONValue] {
    guard case .array(let parts)? = part[key] else {
      throw UnsupportedPart("'\(key)' of its '\(type)' is no list")
    }
    return parts
  }

  /// What to throw of a kind that is not known.
  func unknown(_ role: String) -> UnsupportedPart {
    UnsupportedPart("its '\(role)' is of a kind that is not supported, '\(Printable.quoted(type))'")
  }
}
