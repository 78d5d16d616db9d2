internal import Foundation
internal import JSON
internal import Tensors

/// A GGUF file of version 2 or 3 (ggml's `docs/gguf.md`): metadata, and tensors that are not read yet.
struct GGUFFile {
  let path: String
  let tensors: [GGUFTensor]
  private let metadata: [Spelling: GGUFValue]

  /// Whether a file starts as GGUF files do.
  static func isOne(_ url: URL) -> Bool {
    guard let handle = try? FileHandle(forReadingFrom: url) else { return false }
    defer { try? handle.close() }
    return (try? handle.read(upToCount: 4)) == Data("GGUF".utf8)
  }

  /// Reads everything but the tensors' numbers, and checks that each lies within the file.
  ///
  /// - Throws: `CheckpointError`.
  init(_ url: URL) throws {
    var reader = try GGUFReader(url)
    path = url.path
    guard try Array(reader.bytes(4)) == Array("GGUF".utf8) else {
      throw reader.fault("it does not start with GGUF")
    }
    let version = try reader.number(UInt32.self)
    guard version == 2 || version == 3 else {
      throw reader.fault("its version is \(version); 2 and 3 are read")
    }
    // A name and a type each at the least.
    let tensorCount = try reader.count(of: "tensors", bytesEach: 24)
    let valueCount = try reader.count(of: "values", bytesEach: 13)
    metadata = try Self.metadata(&reader, valueCount)
    let headers = try (0..<tensorCount).map { _ in try Self.header(&reader) }
    tensors = try Self.placed(headers, reader, alignment: Self.alignment(metadata, reader), url)
  }

  private static func metadata(_ reader: inout GGUFReader, _ count: Int) throws -> [Spelling:
    GGUFValue]
  {
    var metadata: [Spelling: GGUFValue] = [:]
    for _ in 0..<count {
      let key = try reader.text()
      guard metadata.updateValue(try reader.value(), forKey: Spelling(key)) == nil else {
        throw reader.fault("'\(key)' is there twice")
      }
    }
    return metadata
  }

  private static func alignment(_ metadata: [Spelling: GGUFValue], _ reader: GGUFReader) throws
    -> Int
  {
    guard let value = metadata[Spelling("general.alignment")] else { return 32 }
    guard case .integer(let alignment) = value, (1...1 << 20).contains(alignment) else {
      throw reader.fault("'general.alignment' is no sensible number")
    }
    return Int(alignment)
  }

  private struct Header {
    let name: String, shape: [Int], scalars: GGUFScalars, offset: UInt64, bytes: Int
  }

  private static func header(_ reader: inout GGUFReader) throws -> Header {
    let name = try reader.text(), axes = try reader.number(UInt32.self)
    guard (1...4).contains(axes) else {
      throw reader.fault("'\(name)' has \(axes) axes")
    }
    // The first axis is the one that lies closest: columns.
    let shape = try (0..<axes).map { _ in try reader.number(UInt64.self) }.reversed()
    let type = try reader.number(UInt32.self), offset = try reader.number(UInt64.self)
    guard let scalars = GGUFScalars(rawValue: type) else {
      throw reader.fault("'\(name)' is of type \(type); read are \(GGUFScalars.names)")
    }
    var count = 1
    for axis in shape {
      let (product, overflow) = count.multipliedReportingOverflow(by: Int(clamping: axis))
      guard !overflow, axis > 0 else { throw reader.fault("the shape of '\(name)' is impossible") }
      count = product
    }
    guard Int(clamping: shape.last ?? 0) % scalars.blockCount == 0 else {
      throw reader.fault("rows of '\(name)' are no whole blocks of \(scalars.blockCount)")
    }
    guard count / scalars.blockCount <= reader.size / scalars.blockBytes else {
      throw reader.fault("'\(name)' needs more bytes than the file has")
    }
    return Header(
      name: name, shape: shape.map { Int($0) }, scalars: scalars, offset: offset,
      bytes: count / scalars.blockCount * scalars.blockBytes)
  }

  private static func placed(
    _ headers: [Header], _ reader: GGUFReader, alignment: Int, _ url: URL
  ) throws -> [GGUFTensor] {
    let start = (reader.position + alignment - 1) / alignment * alignment
    var names: Set<Spelling> = []
    return try headers.map { header in
      guard names.insert(Spelling(header.name)).inserted else {
        throw reader.fault("'\(header.name)' is there twice")
      }
      guard header.offset <= UInt64(reader.size), header.offset % UInt64(alignment) == 0 else {
        throw reader.fault("'\(header.name)' starts at an impossible byte")
      }
      let offset = start + Int(header.offset)
      guard offset + header.bytes <= reader.size else {
        throw CheckpointError.truncated(
          file: url.path, expected: offset + header.bytes, found: reader.size)
      }
      return GGUFTensor(
        url: url, name: header.name, shape: header.shape, scalars: header.scalars,
        offset: UInt64(offset), byteCount: header.bytes)
    }
  }

  subscript(key: String) -> GGUFValue? { metadata[Spelling(key)] }

  func text(_ key: String) -> String? {
    if case .text(let text)? = self[key] { text } else { nil }
  }

  func integer(_ key: String) -> Int64? {
    if case .integer(let integer)? = self[key] { integer } else { nil }
  }

  func flag(_ key: String) -> Bool? { if case .bool(let flag)? = self[key] { flag } else { nil } }

  func texts(_ key: String) -> [String]? {
    guard case .list(let values)? = self[key] else { return nil }
    return values.compactMap { if case .text(let text) = $0 { text } else { nil } }
  }

  func integers(_ key: String) -> [Int64]? {
    guard case .list(let values)? = self[key] else { return nil }
    return values.compactMap { if case .integer(let integer) = $0 { integer } else { nil } }
  }

  func numbers(_ key: String) -> [Double]? {
    guard case .list(let values)? = self[key] else { return nil }
    return values.compactMap { if case .number(let number) = $0 { number } else { nil } }
  }
}

/// A tensor of a GGUF file, not read yet.
struct GGUFTensor: StoredTensor {
  fileprivate let url: URL
  let name: String
  let shape: [Int]
  fileprivate let scalars: GGUFScalars
  fileprivate let offset: UInt64
  let byteCount: Int

  var path: String { url.path }
  var type: String { scalars.name }

  private var numbers: StoredNumbers {
    StoredNumbers(
      url: url, offset: offset, block: (scalars.blockCount, scalars.blockBytes),
      count: byteCount / scalars.blockBytes * scalars.blockCount)
  }

  func read() throws -> Tensor { try numbers.read(self) { scalars.numbers([UInt8]($0)) } }

  func numbers(in range: Range<Int>) throws -> [Float] {
    try numbers.read(range, of: self) { scalars.numbers([UInt8]($0)) }
  }
}
