internal import Foundation
internal import JSON

/// Reads the little-endian numbers and texts that a GGUF file starts with.
struct GGUFReader {
  private let handle: FileHandle
  private let path: String
  /// Bytes of the file.
  let size: Int
  /// How far it has been read.
  private(set) var position = 0
  private var buffer: [UInt8] = [], start = 0

  /// What is read at once.
  private static let piece = 1 << 20
  /// Longer texts than any chat template.
  private static let textLimit = 1 << 26
  /// More values than any vocabulary has: each takes more memory than its byte in the file.
  private static let listLimit = 1 << 24

  /// - Throws: `CheckpointError.unreadable`.
  init(_ url: URL) throws {
    path = url.path
    if let reason = RegularFile.fault(url) {
      throw CheckpointError.unreadable(file: path, reason: reason)
    }
    guard let handle = try? FileHandle(forReadingFrom: url), let size = try? handle.seekToEnd()
    else {
      throw CheckpointError.unreadable(file: path, reason: "the system refused to read it")
    }
    (self.handle, self.size) = (handle, Int(size))
  }

  /// What to throw of a file that ends too early.
  private func truncated(_ count: Int) -> CheckpointError {
    .truncated(file: path, expected: position + count, found: size)
  }

  func fault(_ reason: String) -> CheckpointError { .unreadable(file: path, reason: reason) }

  /// The next bytes.
  mutating func bytes(_ count: Int) throws -> ArraySlice<UInt8> {
    guard count <= size - position else { throw truncated(count) }
    if position + count > start + buffer.count { try fill(count) }
    defer { position += count }
    return buffer[position - start..<position - start + count]
  }

  private mutating func fill(_ count: Int) throws {
    let wanted = min(max(count, Self.piece), size - position)
    guard (try? handle.seek(toOffset: UInt64(position))) != nil,
      let data = try? handle.read(upToCount: wanted), data.count == wanted
    else { throw CheckpointError.unreadable(file: path, reason: "it changed while it was read") }
    (buffer, start) = ([UInt8](data), position)
  }

  mutating func number<Number: FixedWidthInteger>(_ type: Number.Type) throws -> Number {
    try bytes(MemoryLayout<Number>.size).reversed().reduce(0) {
      $0 << 8 | Number(truncatingIfNeeded: $1)
    }
  }

  /// A number of things that follow, each of which takes some bytes.
  mutating func count(of name: String, bytesEach: Int = 1) throws -> Int {
    let count = try number(UInt64.self)
    guard count <= UInt64((size - position) / max(bytesEach, 1)) else {
      throw fault("it claims \(count) \(name), more than it has bytes for")
    }
    return Int(count)
  }

  /// A length, and so many bytes of UTF-8.
  mutating func text() throws -> String {
    let length = try count(of: "characters of a text")
    guard length <= Self.textLimit else { throw fault("it has a text of \(length) bytes") }
    guard let text = String(validating: try bytes(length), as: UTF8.self) else {
      throw fault("a text before byte \(position) is not UTF-8")
    }
    return text
  }

  mutating func value() throws -> GGUFValue {
    try value(of: try number(UInt32.self), depth: 0)
  }

  private mutating func value(of type: UInt32, depth: Int) throws -> GGUFValue {
    switch type {
    case 0: .integer(Int64(try number(UInt8.self)))
    case 1: .integer(Int64(try number(Int8.self)))
    case 2: .integer(Int64(try number(UInt16.self)))
    case 3: .integer(Int64(try number(Int16.self)))
    case 4: .integer(Int64(try number(UInt32.self)))
    case 5: .integer(Int64(try number(Int32.self)))
    case 6: .number(Double(Float(bitPattern: try number(UInt32.self))))
    case 7: .bool(try number(UInt8.self) != 0)
    case 8: .text(try text())
    case 9: .list(try list(depth: depth))
    case 10: .integer(Int64(clamping: try number(UInt64.self)))
    case 11: .integer(try number(Int64.self))
    case 12: .number(Double(bitPattern: try number(UInt64.self)))
    default: throw fault("a value before byte \(position) is of an unknown type, \(type)")
    }
  }

  private mutating func list(depth: Int) throws -> [GGUFValue] {
    guard depth < 4 else { throw fault("lists stand within lists too deep") }
    let type = try number(UInt32.self), count = try count(of: "values")
    guard count <= Self.listLimit else { throw fault("it has a list of \(count) values") }
    return try (0..<count).map { _ in try value(of: type, depth: depth + 1) }
  }
}

/// A value of a GGUF file's metadata.
enum GGUFValue {
  case integer(Int64)
  case number(Double)
  case bool(Bool)
  case text(String)
  case list([GGUFValue])
}
