internal import CJSONC

extension JSON {
  /// Writes a tree as text, members in the order of the tree.
  package static func text(of value: JSONValue, layout: Layout = .compact) -> String {
    let root = jsonObject(value)
    defer { json_object_put(root) }
    let flags =
      switch layout {
      case .compact: JSON_C_TO_STRING_NOSLASHESCAPE
      case .pretty:
        JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED | JSON_C_TO_STRING_NOSLASHESCAPE
      }
    return json_object_to_json_string_ext(root, flags).map { String(cString: $0) }
      ?? { preconditionFailure("no memory is left to write JSON") }()
  }

  private static func jsonObject(_ value: JSONValue) -> OpaquePointer? {
    switch value {
    case .null: return nil
    case .bool(let bool): return json_object_new_boolean(bool ? 1 : 0)
    case .integer(let integer): return json_object_new_int64(integer)
    case .unsigned(let integer): return json_object_new_uint64(integer)
    case .number(let number):
      // The shortest text that reads back as the same double.
      return json_object_new_double_s(number, "\(number)")
    case .string(let string): return jsonString(string)
    case .array(let elements):
      let array = json_object_new_array()
      for element in elements { json_object_array_add(array, jsonObject(element)) }
      return array
    case .object(let members):
      let object = json_object_new_object()
      for (key, member) in members { json_object_object_add(object, key, jsonObject(member)) }
      return object
    }
  }

  private static func jsonString(_ string: String) -> OpaquePointer? {
    var string = string
    return string.withUTF8 { bytes in
      bytes.withMemoryRebound(to: CChar.self) {
        json_object_new_string_len($0.baseAddress ?? nil, Int32($0.count))
      }
    }
  }
}
