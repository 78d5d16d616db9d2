/// Encodes Swift values into a `JSONValue`, keys in the order in which they are encoded.
final class TreeEncoder: Encoder {
  let codingPath: [any CodingKey]
  var userInfo: [CodingUserInfoKey: Any] { [:] }
  private var scalar = JSONValue.null
  private var elements: [TreeEncoder]?
  private var members: [(String, TreeEncoder)]?

  init(codingPath: [any CodingKey]) { self.codingPath = codingPath }

  func encodeWhole(_ value: some Encodable) throws -> JSONValue {
    try value.encode(to: self)
    return tree
  }

  private var tree: JSONValue {
    if let members { return .object(members.map { ($0.0, $0.1.tree) }) }
    if let elements { return .array(elements.map(\.tree)) }
    return scalar
  }

  func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
    if members == nil { members = [] }
    return KeyedEncodingContainer(KeyedWriter(encoder: self))
  }

  func unkeyedContainer() -> any UnkeyedEncodingContainer {
    if elements == nil { elements = [] }
    return UnkeyedWriter(encoder: self)
  }

  func singleValueContainer() -> any SingleValueEncodingContainer { ScalarWriter(encoder: self) }

  fileprivate func member(_ key: any CodingKey) -> TreeEncoder {
    let child = TreeEncoder(codingPath: codingPath + [key])
    members?.append((key.stringValue, child))
    return child
  }

  fileprivate func element() -> TreeEncoder {
    let child = TreeEncoder(codingPath: codingPath)
    elements?.append(child)
    return child
  }

  fileprivate var elementCount: Int { elements?.count ?? 0 }

  fileprivate func set(_ value: JSONValue) { scalar = value }
}

private struct ScalarWriter: SingleValueEncodingContainer {
  let encoder: TreeEncoder
  var codingPath: [any CodingKey] { encoder.codingPath }

  mutating func encodeNil() { encoder.set(.null) }
  mutating func encode(_ value: Bool) { encoder.set(.bool(value)) }
  mutating func encode(_ value: String) { encoder.set(.string(value)) }

  mutating func encode(_ value: Double) throws {
    guard value.isFinite else {
      let path = codingPath.map(\.stringValue).joined(separator: ".")
      throw JSONError.notRepresentable(path: path, reason: "\(value) is not a finite number")
    }
    encoder.set(.number(value))
  }

  mutating func encode(_ value: Float) throws {
    // Through the shortest decimal, so that 0.1 as Float stays "0.1".
    try encode(value.isFinite ? Double("\(value)") ?? Double(value) : Double(value))
  }

  mutating func encode(_ value: Int) { encoder.set(.integer(Int64(value))) }
  mutating func encode(_ value: Int8) { encoder.set(.integer(Int64(value))) }
  mutating func encode(_ value: Int16) { encoder.set(.integer(Int64(value))) }
  mutating func encode(_ value: Int32) { encoder.set(.integer(Int64(value))) }
  mutating func encode(_ value: Int64) { encoder.set(.integer(value)) }
  mutating func encode(_ value: UInt) { encode(UInt64(value)) }
  mutating func encode(_ value: UInt8) { encoder.set(.integer(Int64(value))) }
  mutating func encode(_ value: UInt16) { encoder.set(.integer(Int64(value))) }
  mutating func encode(_ value: UInt32) { encoder.set(.integer(Int64(value))) }
  mutating func encode(_ value: UInt64) {
    encoder.set(Int64(exactly: value).map(JSONValue.integer) ?? .unsigned(value))
  }
  mutating func encode<Value: Encodable>(_ value: Value) throws { try value.encode(to: encoder) }
}

private struct KeyedWriter<Key: CodingKey>: KeyedEncodingContainerProtocol {
  let encoder: TreeEncoder
  var codingPath: [any CodingKey] { encoder.codingPath }

  mutating func encodeNil(forKey key: Key) { encoder.member(key).set(.null) }

  mutating func encode<Value: Encodable>(_ value: Value, forKey key: Key) throws {
    try value.encode(to: encoder.member(key))
  }

  mutating func nestedContainer<Nested: CodingKey>(
    keyedBy type: Nested.Type, forKey key: Key
  ) -> KeyedEncodingContainer<Nested> { encoder.member(key).container(keyedBy: type) }

  mutating func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
    encoder.member(key).unkeyedContainer()
  }

  mutating func superEncoder() -> any Encoder { encoder }
  mutating func superEncoder(forKey key: Key) -> any Encoder { encoder.member(key) }
}

private struct UnkeyedWriter: UnkeyedEncodingContainer {
  let encoder: TreeEncoder
  var codingPath: [any CodingKey] { encoder.codingPath }
  var count: Int { encoder.elementCount }

  mutating func encodeNil() { encoder.element().set(.null) }

  mutating func encode<Value: Encodable>(_ value: Value) throws {
    try value.encode(to: encoder.element())
  }

  mutating func nestedContainer<Nested: CodingKey>(
    keyedBy type: Nested.Type
  ) -> KeyedEncodingContainer<Nested> { encoder.element().container(keyedBy: type) }

  mutating func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer {
    encoder.element().unkeyedContainer()
  }

  mutating func superEncoder() -> any Encoder { encoder.element() }
}

extension JSONValue: Encodable {
  package func encode(to encoder: any Encoder) throws {
    guard let encoder = encoder as? TreeEncoder else {
      throw JSONError.notRepresentable(path: "", reason: "only Assay's encoder writes raw JSON")
    }
    encoder.set(self)
  }
}
