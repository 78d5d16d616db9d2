internal import JSON
internal import Foundation

/// A digest that names content in caches and ledgers; not meant against forgery.
package struct ContentHash: Sendable {
  // FNV-1a (Fowler, Noll & Vo), 64 bits: the same on every platform and in every process.
  private var state: UInt64 = 0xCBF2_9CE4_8422_2325

  package init() {}

  private mutating func mix(byte: UInt8) { state = (state ^ UInt64(byte)) &* 0x100_0000_01B3 }

  /// Mixes bytes in.
  package mutating func mix(_ bytes: some Sequence<UInt8>) {
    // Of bytes in one piece no iterator is made: models are hashed, and lines by the hundred megabytes.
    let before = self
    let after = bytes.withContiguousStorageIfAvailable { unsafe before.mixed(with: $0) }
    if let after {
      self = after
      return
    }
    for byte in bytes { mix(byte: byte) }
  }

  private func mixed(with piece: UnsafeBufferPointer<UInt8>) -> Self {
    var hash = self
    for index in piece.indices { unsafe hash.mix(byte: piece[index]) }
    return hash
  }

  /// Mixes the bytes of numbers in, the lowest first.
  package mutating func mix(numbers: [Float]) {
    for number in numbers {
      let bits = number.bitPattern
      for shift in stride(from: 0, to: 32, by: 8) {
        mix(byte: UInt8(truncatingIfNeeded: bits >> UInt32(shift)))
      }
    }
  }

  /// Mixes text in, ended so that two texts never run into one.
  package mutating func mix(_ text: String) {
    mix(text.utf8)
    mix([0])
  }

  /// Sixteen hexadecimal digits.
  package var text: String {
    let digits = String(state, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }

  /// The digest of a value's JSON with the keys of every object sorted.
  ///
  /// Swift's dictionaries encode their keys in another order in each process.
  package static func ofSorted(_ value: some Encodable) throws -> String {
    let text = try JSON.encode(value)
    let tree = try JSON.parse(Data(text.utf8), file: "a value to hash")
    var hash = ContentHash()
    hash.mix(tree.sorted)
    return hash.text
  }

  /// The digest of a value's JSON, in the order in which keys are encoded.
  package static func of(_ value: some Encodable) throws -> String {
    var hash = ContentHash()
    hash.mix(try JSON.encode(value))
    return hash.text
  }
}
