internal import JSON

/// An `adapter_config.json` whose options are read one by one, each with an error of its own.
struct AdapterFile {
  let document: JSONValue
  private let path: String

  init(_ document: JSONValue, _ path: String) {
    self.document = document
    self.path = path
  }

  func fault(_ reason: String) -> CheckpointError { .badAdapter(file: path, reason: reason) }

  /// An option that is there and not null.
  func present(_ key: String) -> JSONValue? {
    guard let value = document[key], value != .null else { return nil }
    return value
  }

  func flag(_ key: String) throws -> Bool {
    switch present(key) {
    case nil: return false
    case .bool(let flag): return flag
    default: throw fault("'\(key)' should be true or false")
    }
  }

  func rank(_ value: JSONValue?, _ key: String) throws -> Int {
    guard case .integer(let rank)? = value, rank > 0, rank <= 1 << 16 else {
      throw fault("'\(key)' should be a positive integer")
    }
    return Int(rank)
  }

  func alpha(_ value: JSONValue?, _ key: String) throws -> Double {
    let alpha: Double
    switch value {
    case .integer(let integer): alpha = Double(integer)
    case .number(let number): alpha = number
    default: throw fault("'\(key)' should be a number")
    }
    guard Float(alpha).isFinite else { throw fault("'\(key)' should be a sensible number") }
    return alpha
  }

  /// Values by the modules that they are for.
  func patterns<Value>(_ key: String, _ read: (JSONValue?, String) throws -> Value) throws
    -> [ModulePattern<Value>]
  {
    guard let value = present(key) else { return [] }
    guard case .object(let members) = value else {
      throw fault("'\(key)' should hold values by module")
    }
    return try members.map { name, value in
      let value = try read(value, "\(key).\(name)")
      guard let pattern = ModulePattern(name, value) else {
        throw fault("'\(key).\(name)' is a pattern that is not supported")
      }
      return pattern
    }
  }

  /// A list of names; one alone may stand without brackets.
  func names(_ key: String) throws -> [String]? {
    switch present(key) {
    case nil: return nil
    case .string(let name): return [name]
    case .array(let entries):
      return try entries.map { entry in
        guard case .string(let name) = entry else { throw fault("'\(key)' should list names") }
        return name
      }
    default: throw fault("'\(key)' should list names")
    }
  }

  /// A list of whole numbers; one alone may stand without brackets.
  func integers(_ value: JSONValue, _ key: String) throws -> [Int] {
    switch value {
    case .integer(let integer): return [Int(integer)]
    case .array(let entries):
      return try entries.map { entry in
        guard case .integer(let integer) = entry else {
          throw fault("'\(key)' should list numbers")
        }
        return Int(integer)
      }
    default: throw fault("'\(key)' should list numbers")
    }
  }

  /// The tokens of `trainable_token_indices`: a list, or lists by module.
  func tokens() throws -> [(module: String, ids: [Int])] {
    let key = "trainable_token_indices"
    guard let value = present(key) else { return [] }
    guard case .object(let members) = value else { return [("", try integers(value, key))] }
    return try members.map { ($0, try integers($1, "\(key).\($0)")) }
  }
}
