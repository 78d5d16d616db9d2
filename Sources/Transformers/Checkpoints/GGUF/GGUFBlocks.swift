internal import Foundation
internal import Tensors

/// How a GGUF tensor keeps its numbers: one by one, or in blocks that share scales.
///
/// Layouts are those of ggml's `ggml-common.h`; within a block, d and m below are 16-bit floats.
enum GGUFScalars: UInt32 {
  case float32 = 0
  case float16 = 1
  case q4Zero = 2
  case q4One = 3
  case q8Zero = 8
  case q4K = 12
  case q5K = 13
  case q6K = 14
  case bfloat16 = 30

  /// Numbers in a block.
  var blockCount: Int {
    switch self {
    case .float32, .float16, .bfloat16: 1
    case .q4Zero, .q4One, .q8Zero: 32
    case .q4K, .q5K, .q6K: 256
    }
  }

  /// Bytes of a block.
  var blockBytes: Int {
    switch self {
    case .float32: 4
    case .float16, .bfloat16: 2
    case .q4Zero: 18
    case .q4One: 20
    case .q8Zero: 34
    case .q4K: 144
    case .q5K: 176
    case .q6K: 210
    }
  }

  /// What ggml calls it.
  var name: String {
    switch self {
    case .float32: "F32"
    case .float16: "F16"
    case .bfloat16: "BF16"
    case .q4Zero: "Q4_0"
    case .q4One: "Q4_1"
    case .q8Zero: "Q8_0"
    case .q4K: "Q4_K"
    case .q5K: "Q5_K"
    case .q6K: "Q6_K"
    }
  }

  /// The names of all.
  static let names = "F32, F16, BF16, Q8_0, Q4_0, Q4_1, Q4_K, Q5_K and Q6_K"

  /// The numbers of whole blocks.
  func numbers(_ bytes: [UInt8]) -> [Float] {
    var numbers: [Float] = []
    numbers.reserveCapacity(bytes.count / blockBytes * blockCount)
    for start in stride(from: 0, to: bytes.count, by: blockBytes) {
      append(bytes[start..<start + blockBytes], to: &numbers)
    }
    return numbers
  }

  private func append(_ block: ArraySlice<UInt8>, to numbers: inout [Float]) {
    let at = block.startIndex
    switch self {
    case .float32:
      let bits = (0..<4).reversed().reduce(UInt32(0)) { $0 << 8 | UInt32(block[at + $1]) }
      numbers.append(Float(bitPattern: bits))
    case .float16: numbers.append(block.half(0))
    case .bfloat16: numbers.append(Float(bitPattern: UInt32(block.bits(0)) << 16))
    case .q4Zero: Self.appendNibbles(block, from: 2, block.half(0), -8 * block.half(0), &numbers)
    case .q4One: Self.appendNibbles(block, from: 4, block.half(0), block.half(2), &numbers)
    case .q8Zero:
      let scale = block.half(0)
      for byte in block.dropFirst(2) { numbers.append(scale * Float(Int8(bitPattern: byte))) }
    case .q4K: Self.appendQ4K(block, &numbers)
    case .q5K: Self.appendQ5K(block, &numbers)
    case .q6K: Self.appendQ6K(block, &numbers)
    }
  }

  /// d·q + m of 32 four-bit numbers: the low halves of 16 bytes, then the high halves.
  private static func appendNibbles(
    _ block: ArraySlice<UInt8>, from offset: Int, _ scale: Float, _ least: Float,
    _ numbers: inout [Float]
  ) {
    let bytes = block.dropFirst(offset).prefix(16)
    for byte in bytes { numbers.append(scale * Float(byte & 15) + least) }
    for byte in bytes { numbers.append(scale * Float(byte >> 4) + least) }
  }

  /// The six-bit scales and least values of eight groups, packed into twelve bytes.
  private static func groupScales(_ block: ArraySlice<UInt8>) -> [(scale: Float, least: Float)] {
    let (d, m) = (block.half(0), block.half(2)), at = block.startIndex + 4
    return (0..<8).map { group in
      let (scale, least): (UInt8, UInt8) =
        group < 4
        ? (block[at + group] & 63, block[at + group + 4] & 63)
        : (
          block[at + group + 4] & 15 | (block[at + group - 4] >> 6) << 4,
          block[at + group + 4] >> 4 | (block[at + group] >> 6) << 4
        )
      return (d * Float(scale), m * Float(least))
    }
  }

  private static func appendQ4K(_ block: ArraySlice<UInt8>, _ numbers: inout [Float]) {
    let groups = groupScales(block), at = block.startIndex + 16
    for (index, group) in groups.enumerated() {
      // Two groups share 32 bytes: the first has their low halves.
      let bytes = block[at + index / 2 * 32..<at + index / 2 * 32 + 32]
      for byte in bytes {
        let number = index % 2 == 0 ? byte & 15 : byte >> 4
        numbers.append(group.scale * Float(number) - group.least)
      }
    }
  }

  private static func appendQ5K(_ block: ArraySlice<UInt8>, _ numbers: inout [Float]) {
    let groups = groupScales(block), high = block.startIndex + 16, low = high + 32
    for (index, group) in groups.enumerated() {
      for place in 0..<32 {
        let byte = block[low + index / 2 * 32 + place]
        let fifth = (block[high + place] >> UInt8(index)) & 1
        let number = (index % 2 == 0 ? byte & 15 : byte >> 4) | (fifth << 4)
        numbers.append(group.scale * Float(number) - group.least)
      }
    }
  }

  private static func appendQ6K(_ block: ArraySlice<UInt8>, _ numbers: inout [Float]) {
    let at = block.startIndex, d = block.half(208)
    for index in 0..<256 {
      // Halves of 128; in each, four quarters of 32 share the bytes of `low` two by two and those of `high`.
      let (half, quarter, place) = (index / 128, index % 128 / 32, index % 32)
      let low = block[at + half * 64 + quarter % 2 * 32 + place]
      let nibble = quarter < 2 ? low & 15 : low >> 4
      let upper = (block[at + 128 + half * 32 + place] >> UInt8(2 * quarter)) & 3
      let scale = Int8(bitPattern: block[at + 192 + index / 16])
      numbers.append(d * Float(scale) * Float(Int(nibble | (upper << 4)) - 32))
    }
  }
}

extension ArraySlice<UInt8> {
  /// Sixteen bits at an offset.
  fileprivate func bits(_ offset: Int) -> UInt16 {
    UInt16(self[startIndex + offset]) | UInt16(self[startIndex + offset + 1]) << 8
  }

  /// A 16-bit float at an offset.
  fileprivate func half(_ offset: Int) -> Float { Float(halfBits: bits(offset)) }
}
