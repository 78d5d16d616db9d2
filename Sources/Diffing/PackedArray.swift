internal import Foundation

/// Numbers that JSON holds as a list, or packed: `f32:` and the base64 of little-endian 32-bit floats.
///
/// Whoever writes evidence may write lists. Packed numbers are half as long, and read back exactly.
public struct PackedNumbers: Equatable, Sendable {
  /// The numbers.
  public let values: [Float]

  /// Holds numbers.
  public init(_ values: [Float]) { self.values = values }

  /// Whether encoders write lists instead: for people to read.
  @TaskLocal public static var writesLists = false
}

extension PackedNumbers: Codable {
  private static let tag = "f32:"

  /// Reads what `encode(to:)` writes.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    guard let text = try? container.decode(String.self) else {
      values = try container.decode([Float].self)
      return
    }
    values = try unpacked(text, tag: Self.tag, of: UInt32.self).map(Float.init(bitPattern:))
  }

  /// Writes it as `Fixtures/evidence.schema.json` describes.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    guard !Self.writesLists else { return try container.encode(values) }
    try container.encode(packed(values.map(\.bitPattern), tag: Self.tag))
  }
}

/// Indices that JSON holds as a list, or packed: `u16:` or `u32:` and the base64 of little-endian integers.
public struct PackedIndices: Equatable, Sendable {
  /// The numbers.
  public let values: [Int]

  /// - Precondition: Each is from 0 to 2³² − 1.
  public init(_ values: [Int]) { self.values = values }
}

extension PackedIndices: Codable {
  private static let short = "u16:", long = "u32:"

  /// Reads what `encode(to:)` writes.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    guard let text = try? container.decode(String.self) else {
      values = try container.decode([Int].self)
      return
    }
    values =
      text.hasPrefix(Self.short)
      ? try unpacked(text, tag: Self.short, of: UInt16.self).map(Int.init)
      : try unpacked(text, tag: Self.long, of: UInt32.self).map(Int.init)
  }

  /// Writes it as `Fixtures/evidence.schema.json` describes.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    guard !PackedNumbers.writesLists else { return try container.encode(values) }
    let isShort = values.allSatisfy { $0 <= UInt16.max }
    try container.encode(
      isShort
        ? packed(values.map(UInt16.init), tag: Self.short)
        : packed(values.map(UInt32.init), tag: Self.long))
  }
}

private func packed<Word: FixedWidthInteger>(_ words: [Word], tag: String) -> String {
  var bytes: [UInt8] = []
  bytes.reserveCapacity(words.count * MemoryLayout<Word>.size)
  for word in words {
    for shift in stride(from: 0, to: Word.bitWidth, by: 8) {
      bytes.append(UInt8(truncatingIfNeeded: word >> Word(shift)))
    }
  }
  return tag + Data(bytes).base64EncodedString()
}

private func unpacked<Word: FixedWidthInteger>(_ text: String, tag: String, of: Word.Type) throws
  -> [Word]
{
  let size = MemoryLayout<Word>.size
  guard text.hasPrefix(tag), let data = Data(base64Encoded: String(text.dropFirst(tag.count))),
    data.count % size == 0
  else { throw DiffingError.badEvidence("packed numbers should be '\(tag)' and base64") }
  let bytes = [UInt8](data)
  return (0..<bytes.count / size).map { index in
    (0..<size).reversed().reduce(Word(0)) { $0 << 8 | Word(bytes[index * size + $1]) }
  }
}
