internal import CJSONC
package import Foundation

/// Reads and writes JSON text through json-c, strictly.
package enum JSON {
  /// Parses a whole document.
  ///
  /// - Parameters:
  ///   - data: UTF-8 text; a byte order mark before it is passed over.
  ///   - file: The name that errors mention.
  ///   - isLenient: Whether NaN and Infinity may stand for numbers, and integers go beyond 64 bits, where the
  ///     nearest that fits is read: Python writes these, and mostly under keys that nobody needs.
  /// - Returns: The document's tree.
  /// - Throws: `JSONError.syntax` or `.duplicateKey`, with the byte where it is; `.unreadable` if it is
  ///   something else, as a Git LFS pointer.
  package static func parse(_ data: Data, file: String, isLenient: Bool = false)
    throws(JSONError) -> JSONValue
  {
    let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
    let bytes = [UInt8](data.starts(with: mark) ? data.dropFirst(mark.count) : data)
    var scanner = StrictScanner(bytes, file: file, isLenient: isLenient)
    do throws(JSONError) {
      try scanner.check()
    } catch {
      guard let reason = ForeignContent.named(bytes) else { throw error }
      throw .unreadable(file: file, reason: reason)
    }
    let keys = ZeroKeys(scanner.keysWithZero, in: bytes)
    return try parseWithJSONC(SurrogatePairs.resolved(keys.bytes), keys, file: file)
  }

  /// Reads a file and parses it.
  ///
  /// - Parameters:
  ///   - url: The file.
  ///   - name: The name that errors mention; the last part of the path if nil.
  ///   - isLenient: As for `parse`.
  /// - Returns: The document's tree.
  /// - Throws: `JSONError`, `.unreadable` included.
  package static func parse(
    contentsOf url: URL, named name: String? = nil, isLenient: Bool = false
  ) throws(JSONError) -> JSONValue {
    try parse(read(url), file: name ?? url.lastPathComponent, isLenient: isLenient)
  }

  /// json-c counts in 32 bits.
  private static let sizeLimit = Int(Int32.max) - 1

  static func read(_ url: URL) throws(JSONError) -> Data {
    if let reason = RegularFile.fault(url, limit: sizeLimit) {
      throw .unreadable(file: url.path, reason: reason)
    }
    do {
      return try Data(contentsOf: url)
    } catch {
      throw .unreadable(file: url.path, reason: "the system refused to read it")
    }
  }

  /// Decodes a value from JSON text; keys that the type does not know are errors.
  ///
  /// - Parameter isComposed: Whether every text has to be in composed form (NFC), so that two texts which
  ///   look alike are the same bytes.
  package static func decode<Value: Decodable>(
    _ type: Value.Type, from data: Data, file: String, isComposed: Bool = false
  ) throws -> Value {
    let tree = try parse(data, file: file)
    do {
      if isComposed { try tree.requireComposed(file: file) }
      return try decode(type, from: tree, file: file)
    } catch let error as JSONError {
      throw error.located { JSON.line(of: $0, in: data) }
    }
  }

  /// Decodes a value from a tree; keys that the type does not know are errors.
  package static func decode<Value: Decodable>(
    _ type: Value.Type, from value: JSONValue, file: String
  ) throws -> Value {
    try TreeDecoder(value: value, file: file, codingPath: []).decodeWhole(type)
  }

  /// Decodes a value from a file.
  package static func decode<Value: Decodable>(
    _ type: Value.Type, contentsOf url: URL, isComposed: Bool = false
  ) throws -> Value {
    try decode(type, from: read(url), file: url.lastPathComponent, isComposed: isComposed)
  }

  /// How a document is laid out.
  package enum Layout: Sendable {
    case compact
    case pretty
  }

  /// Encodes a value, keys in declaration order.
  package static func encode(_ value: some Encodable, layout: Layout = .compact) throws -> String {
    let encoder = TreeEncoder(codingPath: [])
    return text(of: try encoder.encodeWhole(value), layout: layout)
  }

  /// A value as a tree, keys in declaration order.
  package static func value(of value: some Encodable) throws -> JSONValue {
    try TreeEncoder(codingPath: []).encodeWhole(value)
  }

  private static func parseWithJSONC(_ bytes: [UInt8], _ keys: ZeroKeys, file: String)
    throws(JSONError) -> JSONValue
  {
    guard bytes.count <= sizeLimit else {
      throw .syntax(file: file, offset: 0, reason: "larger than 2 GiB")
    }
    let tokener = json_tokener_new_ex(Int32(StrictScanner.depthLimit + 8))
    defer { json_tokener_free(tokener) }
    json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8)
    // A bare number is complete only when something follows it: feed one zero byte.
    let terminated = bytes + [0]
    let root = terminated.withUnsafeBytes {
      json_tokener_parse_ex(
        tokener, $0.bindMemory(to: CChar.self).baseAddress, Int32(terminated.count))
    }
    defer { json_object_put(root) }
    let outcome = json_tokener_get_error(tokener)
    guard outcome == json_tokener_success else {
      let reason = json_tokener_error_desc(outcome).map { String(cString: $0) } ?? "unknown error"
      throw .syntax(file: file, offset: json_tokener_get_parse_end(tokener), reason: reason)
    }
    return tree(of: root, keys)
  }

  private static func tree(of object: OpaquePointer?, _ keys: ZeroKeys) -> JSONValue {
    switch json_object_get_type(object) {
    case json_type_boolean: .bool(json_object_get_boolean(object) != 0)
    case json_type_int: integer(of: object)
    case json_type_double: .number(json_object_get_double(object))
    case json_type_string: .string(string(of: object))
    case json_type_array:
      .array(
        (0..<json_object_array_length(object)).map {
          tree(of: json_object_array_get_idx(object, $0), keys)
        }
      )
    case json_type_object: .object(members(of: object, keys))
    default: .null
    }
  }

  private static func integer(of object: OpaquePointer?) -> JSONValue {
    let unsigned = json_object_get_uint64(object)
    return unsigned > UInt64(Int64.max)
      ? .unsigned(unsigned) : .integer(json_object_get_int64(object))
  }

  private static func string(of object: OpaquePointer?) -> String {
    let length = Int(json_object_get_string_len(object))
    guard let start = json_object_get_string(object) else { return "" }
    return start.withMemoryRebound(to: UInt8.self, capacity: length) {
      String(decoding: UnsafeBufferPointer(start: $0, count: length), as: UTF8.self)
    }
  }

  private static func members(of object: OpaquePointer?, _ keys: ZeroKeys) -> [(
    key: String, value: JSONValue
  )] {
    var members: [(key: String, value: JSONValue)] = []
    var iterator = json_object_iter_begin(object)
    var end = json_object_iter_end(object)
    while json_object_iter_equal(&iterator, &end) == 0 {
      let key = json_object_iter_peek_name(&iterator).map { String(cString: $0) } ?? ""
      members.append((keys.restored(key), tree(of: json_object_iter_peek_value(&iterator), keys)))
      json_object_iter_next(&iterator)
    }
    return members
  }
}
