/// A digest that names content in caches and ledgers; not meant against forgery.
package struct ContentHash: Sendable {
  // FNV-1a (Fowler, Noll & Vo), 64 bits: the same on every platform and in every process.
  private var state: UInt64 = 0xCBF2_9CE4_8422_2325

  package init() {}

  /// Mixes bytes in.
  package mutating func mix(_ bytes: some Sequence<UInt8>) {
    for byte in bytes { state = (state ^ UInt64(byte)) &* 0x100_0000_01B3 }
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

  /// The digest of a value's JSON.
  package static func of(_ value: some Encodable) throws -> String {
    var hash = ContentHash()
    hash.mix(try JSON.encode(value))
    return hash.text
  }
}
