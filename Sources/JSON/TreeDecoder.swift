/// Decodes Swift values from a `JSONValue`; a key that no type asked for is an error.
final class TreeDecoder: Decoder {
  let value: JSONValue
  let file: String
  let codingPath: [any CodingKey]
  var userInfo: [CodingUserInfoKey: Any] { [:] }
  /// Keys that were looked up, found or not, so that the rest is unknown.
  fileprivate(set) var known: [Spelling] = []
  fileprivate var isKeyed = false

  init(value: JSONValue, file: String, codingPath: [any CodingKey]) {
    self.value = value
    self.file = file
    self.codingPath = codingPath
  }

  var path: String { codingPath.isEmpty ? "the document" : pathText(codingPath) }

  func decodeWhole<Value: Decodable>(_ type: Value.Type) throws -> Value {
    do {
      let result = try Value(from: self)
      try rejectUnknownKeys()
      return result
    } catch let error as DecodingError {
      throw JSONError.invalid(file: file, path: path, reason: reason(error, in: Value.self))
    }
  }

  /// Why a type refuses a value: of an enumeration, its cases.
  private func reason(_ error: DecodingError, in type: Any.Type) -> String {
    if case .string(let text) = value, let cases = caseNames(type) {
      return "'\(text)' is none of \(cases.joined(separator: ", "))"
    }
    guard case .dataCorrupted(let context) = error else { return "cannot be read" }
    let sentence = context.debugDescription
    return sentence.hasSuffix(".") ? String(sentence.dropLast()) : sentence
  }

  private func rejectUnknownKeys() throws {
    guard isKeyed, case .object(let members) = value else { return }
    guard let stranger = members.first(where: { !known.contains(Spelling($0.key)) }) else { return }
    let here = codingPath.map(\.stringValue) + [stranger.key]
    throw JSONError.unknownKey(
      file: file, path: here.joined(separator: "."),
      nearest: nearest(to: stranger.key, among: known.map(\.text)))
  }

  func mismatch(_ expected: String) -> JSONError {
    .wrongType(file: file, path: path, expected: expected, found: value.kind)
  }

  func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
    guard case .object(let members) = value else { throw mismatch("an object") }
    isKeyed = true
    return KeyedDecodingContainer(KeyedReader(decoder: self, members: members))
  }

  func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
    guard case .array(let elements) = value else { throw mismatch("an array") }
    return UnkeyedReader(decoder: self, elements: elements)
  }

  func singleValueContainer() throws -> any SingleValueDecodingContainer {
    ScalarReader(decoder: self)
  }

  fileprivate func child(_ value: JSONValue, _ key: any CodingKey) -> TreeDecoder {
    TreeDecoder(value: value, file: file, codingPath: codingPath + [key])
  }
}

/// How the cases of an enumeration are written, if all of them are known.
private func caseNames(_ type: Any.Type) -> [String]? {
  guard let type = type as? any CaseIterable.Type else { return nil }
  func names<Value: CaseIterable>(_ type: Value.Type) -> [String] {
    type.allCases.compactMap { ($0 as? any RawRepresentable)?.rawValue as? String }
  }
  let all = names(type)
  return all.isEmpty ? nil : all
}

private func pathText(_ path: [any CodingKey]) -> String {
  path.map(\.stringValue).joined(separator: ".")
}

private struct Index: CodingKey {
  let intValue: Int?
  var stringValue: String { String(intValue ?? 0) }
  init(_ index: Int) { intValue = index }
  init?(intValue: Int) { self.intValue = intValue }
  init?(stringValue: String) { nil }
}

private struct ScalarReader: SingleValueDecodingContainer {
  let decoder: TreeDecoder
  var codingPath: [any CodingKey] { decoder.codingPath }

  func decodeNil() -> Bool { decoder.value == .null }

  func decode(_ type: Bool.Type) throws -> Bool {
    guard case .bool(let bool) = decoder.value else { throw decoder.mismatch("a boolean") }
    return bool
  }

  func decode(_ type: String.Type) throws -> String {
    guard case .string(let string) = decoder.value else { throw decoder.mismatch("a string") }
    return string
  }

  func decode(_ type: Double.Type) throws -> Double {
    switch decoder.value {
    case .number(let number): number
    case .integer(let integer): Double(integer)
    case .unsigned(let integer): Double(integer)
    default: throw decoder.mismatch("a number")
    }
  }

  func decode(_ type: Float.Type) throws -> Float {
    let number = Float(try decode(Double.self))
    guard number.isFinite else { throw decoder.mismatch("a number that fits a Float") }
    return number
  }

  private func integer<Value: FixedWidthInteger>(_ type: Value.Type) throws -> Value {
    let exact: Value? =
      switch decoder.value {
      case .integer(let integer): Value(exactly: integer)
      case .unsigned(let integer): Value(exactly: integer)
      case .number(let number): Value(exactly: number)
      default: nil
      }
    guard let exact else {
      throw decoder.mismatch("an integer from \(Value.min) to \(Value.max)")
    }
    return exact
  }

  func decode(_ type: Int.Type) throws -> Int { try integer(type) }
  func decode(_ type: Int8.Type) throws -> Int8 { try integer(type) }
  func decode(_ type: Int16.Type) throws -> Int16 { try integer(type) }
  func decode(_ type: Int32.Type) throws -> Int32 { try integer(type) }
  func decode(_ type: Int64.Type) throws -> Int64 { try integer(type) }
  func decode(_ type: UInt.Type) throws -> UInt { try integer(type) }
  func decode(_ type: UInt8.Type) throws -> UInt8 { try integer(type) }
  func decode(_ type: UInt16.Type) throws -> UInt16 { try integer(type) }
  func decode(_ type: UInt32.Type) throws -> UInt32 { try integer(type) }
  func decode(_ type: UInt64.Type) throws -> UInt64 { try integer(type) }

  func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
    try decoder.decodeWhole(type)
  }
}

private struct KeyedReader<Key: CodingKey>: KeyedDecodingContainerProtocol {
  let decoder: TreeDecoder
  let members: [(key: String, value: JSONValue)]
  var codingPath: [any CodingKey] { decoder.codingPath }
  var allKeys: [Key] { members.compactMap { Key(stringValue: $0.key) } }

  private func find(_ key: Key) -> JSONValue? {
    let key = Spelling(key.stringValue)
    if !decoder.known.contains(key) { decoder.known.append(key) }
    return members.first { Spelling($0.key) == key }?.value
  }

  private func child(_ key: Key) throws -> TreeDecoder {
    guard let value = find(key) else {
      let similar = nearest(to: key.stringValue, among: members.map(\.key))
      throw JSONError.missingKey(
        file: decoder.file, path: pathText(codingPath + [key]), similar: similar)
    }
    return decoder.child(value, key)
  }

  func contains(_ key: Key) -> Bool { find(key) != nil }
  func decodeNil(forKey key: Key) throws -> Bool { try child(key).value == .null }

  func decode<Value: Decodable>(_ type: Value.Type, forKey key: Key) throws -> Value {
    try child(key).decodeWhole(type)
  }

  func nestedContainer<Nested: CodingKey>(
    keyedBy type: Nested.Type, forKey key: Key
  ) throws -> KeyedDecodingContainer<Nested> {
    try child(key).container(keyedBy: type)
  }

  func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
    try child(key).unkeyedContainer()
  }

  func superDecoder() throws -> any Decoder { decoder }
  func superDecoder(forKey key: Key) throws -> any Decoder { try child(key) }
}

private struct UnkeyedReader: UnkeyedDecodingContainer {
  let decoder: TreeDecoder
  let elements: [JSONValue]
  var currentIndex = 0
  var codingPath: [any CodingKey] { decoder.codingPath }
  var count: Int? { elements.count }
  var isAtEnd: Bool { currentIndex == elements.count }

  init(decoder: TreeDecoder, elements: [JSONValue]) {
    self.decoder = decoder
    self.elements = elements
  }

  private mutating func child() throws -> TreeDecoder {
    guard !isAtEnd else {
      throw JSONError.invalid(file: decoder.file, path: decoder.path, reason: "too few elements")
    }
    defer { currentIndex += 1 }
    return decoder.child(elements[currentIndex], Index(currentIndex))
  }

  mutating func decodeNil() throws -> Bool {
    guard !isAtEnd, elements[currentIndex] == .null else { return false }
    currentIndex += 1
    return true
  }

  mutating func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
    try child().decodeWhole(type)
  }

  mutating func nestedContainer<Nested: CodingKey>(
    keyedBy type: Nested.Type
  ) throws -> KeyedDecodingContainer<Nested> {
    try child().container(keyedBy: type)
  }

  mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer {
    try child().unkeyedContainer()
  }

  mutating func superDecoder() throws -> any Decoder { try child() }
}

extension JSONValue: Decodable {
  package init(from decoder: any Decoder) throws {
    guard let decoder = decoder as? TreeDecoder else {
      throw JSONError.notRepresentable(path: "", reason: "only Assay's decoder reads raw JSON")
    }
    self = decoder.value
  }
}
