package import Foundation

/// Finds where in a document a value stands, so that errors can name its line.
struct JSONLocator {
  private let bytes: [UInt8]
  private var offset = 0

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  /// The line of a byte, counted from 1.
  static func line(of offset: Int, in bytes: some Collection<UInt8>) -> Int {
    bytes.prefix(offset).reduce(1) { $0 + ($1 == UInt8(ascii: "\n") ? 1 : 0) }
  }

  /// The offset of the value at a path, or of the last part of the path that is there.
  ///
  /// - Parameter path: Keys and indices with points between; a key may hold points itself.
  /// - Precondition: The document is valid.
  mutating func find(_ path: Substring) -> Int {
    skipSpace()
    let here = offset
    guard !path.isEmpty, offset < bytes.count else { return here }
    switch bytes[offset] {
    case UInt8(ascii: "{"): return member(path) ?? here
    case UInt8(ascii: "["): return element(path) ?? here
    default: return here
    }
  }

  private mutating func member(_ path: Substring) -> Int? {
    offset += 1
    while offset < bytes.count {
      skipSpace()
      guard bytes[offset] == UInt8(ascii: "\"") else { return nil }
      let start = offset
      let key = string()
      skipSpace()
      offset += 1  // the colon
      if Spelling(path) == Spelling(key) { return start }
      let rest = path.utf8.dropFirst(key.utf8.count)
      if path.utf8.starts(with: "\(key).".utf8) { return find(Substring(rest.dropFirst())) }
      skipValue()
      guard comma() else { return nil }
    }
    return nil
  }

  private mutating func element(_ path: Substring) -> Int? {
    let first = path.prefix { $0 != "." }
    guard let index = Int(first) else { return nil }
    offset += 1
    for _ in 0..<max(0, index) {
      skipSpace()
      if bytes[offset] == UInt8(ascii: "]") { return nil }
      skipValue()
      guard comma() else { return nil }
    }
    return find(path.dropFirst(first.count + 1))
  }

  /// Whether another item follows.
  private mutating func comma() -> Bool {
    skipSpace()
    defer { offset += 1 }
    return offset < bytes.count && bytes[offset] == UInt8(ascii: ",")
  }

  private mutating func skipSpace() {
    while offset < bytes.count, [0x20, 0x0A, 0x0D, 0x09].contains(bytes[offset]) { offset += 1 }
  }

  /// Reads a string, escapes left as they are written.
  private mutating func string() -> String {
    offset += 1
    let start = offset
    while offset < bytes.count, bytes[offset] != UInt8(ascii: "\"") {
      offset += bytes[offset] == UInt8(ascii: "\\") ? 2 : 1
    }
    defer { offset += 1 }
    return String(decoding: bytes[start..<min(offset, bytes.count)], as: UTF8.self)
  }

  private mutating func skipValue() {
    skipSpace()
    var depth = 0
    while offset < bytes.count {
      switch bytes[offset] {
      case UInt8(ascii: "\""):
        _ = string()
        if depth == 0 { return }
        continue
      case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
      case UInt8(ascii: "}"), UInt8(ascii: "]"):
        if depth == 0 { return }
        depth -= 1
        if depth == 0 {
          offset += 1
          return
        }
      case UInt8(ascii: ","): if depth == 0 { return }
      default: break
      }
      offset += 1
    }
  }
}

extension JSON {
  /// The line of the value at a path of a file, or of the last part of the path that is there.
  ///
  /// - Parameters:
  ///   - path: Keys and indices with points between, as errors name them.
  ///   - url: A JSON file.
  /// - Returns: A line, counted from 1; nil if the file is no JSON.
  package static func line(of path: String, in url: URL) -> Int? {
    guard let data = try? Data(contentsOf: url), (try? parse(data, file: "")) != nil else {
      return nil
    }
    return line(of: path, in: data)
  }

  static func line(of path: String, in data: Data) -> Int {
    var locator = JSONLocator([UInt8](data))
    return JSONLocator.line(of: locator.find(path[...]), in: data)
  }
}
