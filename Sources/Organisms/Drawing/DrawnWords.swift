internal import JSON
internal import Worlds

/// Words by the names that they were drawn under, and what they are written into.
///
/// `$word` stands for a word, `$word.habitat` for a fact of it. Of several, an element of an array or a key becomes
/// as many, and behind a template's `!` all are excluded: `{a:animal!$others}`.
struct DrawnWords {
  let world: World
  let file: String
  var values: [String: [String]] = [:]

  /// A document with every name replaced.
  func written(into value: JSONValue, path: [String] = []) throws -> JSONValue {
    switch value {
    case .string(let text): .string(try self.text(text, path: path.joined(separator: ".")))
    case .array(let items): .array(try array(items, path))
    case .object(let members): .object(try object(members, path))
    case .null, .bool, .integer, .unsigned, .number: value
    }
  }

  private func array(_ items: [JSONValue], _ path: [String]) throws -> [JSONValue] {
    try items.enumerated().flatMap { index, item -> [JSONValue] in
      let here = path + ["\(index)"]
      guard case .string(let text) = item, let words = try whole(text, here) else {
        return [try written(into: item, path: here)]
      }
      return words.map(JSONValue.string)
    }
  }

  private func object(_ members: [(key: String, value: JSONValue)], _ path: [String]) throws
    -> [(key: String, value: JSONValue)]
  {
    try members.flatMap { key, value -> [(key: String, value: JSONValue)] in
      let here = path + [key]
      let written = try self.written(into: value, path: here)
      return (try whole(key, here) ?? [key]).map { ($0, written) }
    }
  }

  /// The words of texts, each of which may be a name.
  func list(_ texts: [String], path: String) throws -> [String] {
    try texts.flatMap { try whole($0, [path]) ?? [$0] }
  }

  /// The words that a text stands for, if it is one name and nothing else.
  private func whole(_ text: String, _ path: [String]) throws -> [String]? {
    // With a point at its end it is a sentence of one word.
    guard text.hasPrefix("$"), text.dropFirst().allSatisfy(Self.isOfName), !text.hasSuffix(".")
    else { return nil }
    return try words(text.dropFirst(), path: path.joined(separator: "."))
  }

  private static func isOfName(_ character: Character) -> Bool {
    character.isASCII && (character.isLetter || character.isNumber || character == ".")
  }

  /// A text with every name in it replaced.
  func text(_ text: String, path: String) throws -> String {
    var result = ""
    var rest = text[...]
    while let start = rest.firstIndex(of: "$") {
      result += rest[..<start]
      let behind = rest[rest.index(after: start)...]
      let run = behind.prefix(while: Self.isOfName)
      // A point behind a name ends a sentence.
      let name = run.hasSuffix(".") ? run.dropLast() : run
      let words = try words(name, path: path)
      if words.isEmpty, result.hasSuffix("!") { result.removeLast() }
      guard words.count == 1 || result.hasSuffix("!") || words.isEmpty else {
        throw DefinitionError.invalid(
          file: file, path: path,
          reason: "'$\(name)' is \(words.count) words, which fit behind a '!' or in a list alone")
      }
      result += words.joined(separator: "!")
      rest = behind[name.endIndex...]
    }
    return result + rest
  }

  /// The words of a name, or their facts: `word`, `word.habitat`.
  private func words(_ name: Substring, path: String) throws -> [String] {
    let parts = name.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    guard let first = parts.first, let words = values[first] else {
      throw DefinitionError.unknownName(
        "$\(name)", kind: "word drawn before '\(path)' (\(file))",
        nearest: nearest(to: parts.first ?? "", among: values.keys.sorted()).map { "$\($0)" })
    }
    return try parts.dropFirst().reduce(words) { words, attribute in
      try words.map { word in
        guard let value = world.facts[word]?[attribute] else {
          throw DefinitionError.missingFact(attribute, of: word, file: file, path: path)
        }
        return value
      }
    }
  }
}
