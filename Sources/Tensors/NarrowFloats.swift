/// Little-endian floats of some width as 32-bit floats.
///
/// Loops of their own for each width: files are read through them, at the speed of a disk.
package enum NarrowFloats {
  /// IEEE singles.
  package static func singles(_ bytes: [UInt8]) -> [Float] {
    map(bytes) { (bits: UInt32) in Float(bitPattern: bits) }
  }

  /// IEEE doubles, rounded.
  package static func doubles(_ bytes: [UInt8]) -> [Float] {
    map(bytes) { (bits: UInt64) in Float(Double(bitPattern: bits)) }
  }

  /// Singles without their lower half.
  package static func brains(_ bytes: [UInt8]) -> [Float] {
    map(bytes) { (bits: UInt16) in Float(bitPattern: UInt32(bits) << 16) }
  }

  /// IEEE halves.
  package static func halves(_ bytes: [UInt8]) -> [Float] {
    map(bytes) { (bits: UInt16) in Float(halfBits: bits) }
  }

  private static func map<Bits: FixedWidthInteger>(
    _ bytes: [UInt8], _ float: (Bits) -> Float
  ) -> [Float] {
    let count = bytes.count / MemoryLayout<Bits>.size
    return bytes.withUnsafeBytes { source in
      [Float](unsafeUninitializedCapacity: count) { target, initialised in
        for index in 0..<count {
          let bits = source.loadUnaligned(
            fromByteOffset: index * MemoryLayout<Bits>.size, as: Bits.self)
          target.initializeElement(at: index, to: float(Bits(littleEndian: bits)))
        }
        initialised = count
      }
    }
  }
}

extension Float {
  /// An IEEE half by its bits: `Float16` does not exist on every platform.
  package init(halfBits bits: UInt16) {
    let sign = UInt32(bits & 0x8000) << 16, rest = UInt32(bits & 0x7FFF)
    if rest >= 0x7C00 {
      self.init(bitPattern: sign | 0x7F80_0000 | (rest & 0x3FF) << 13)
    } else if rest >= 0x400 {
      // The exponent's bias is 15, that of a single 127.
      self.init(bitPattern: sign | ((rest << 13) + (112 << 23)))
    } else {
      self = Float(rest) * 0x1.0p-24 * (sign == 0 ? 1 : -1)
    }
  }

  /// The nearest number that a single without its lower half can be; ties go to the even one.
  package var roundedToBrain: Float {
    guard isFinite else { return self }
    let half = 0x7FFF + (bitPattern >> 16 & 1)
    return Float(bitPattern: (bitPattern &+ half) & 0xFFFF_0000)
  }

  /// The nearest number that an IEEE half can be; ties go to the even one.
  package var roundedToHalf: Float {
    guard isFinite, magnitude < 65_520 else { return self * .infinity }
    guard magnitude > 0 else { return self }
    // From 2⁻¹⁴ on a half has ten bits behind the point, below it steps of 2⁻²⁴.
    let step = Swift.max(Float(sign: .plus, exponent: exponent - 10, significand: 1), 0x1.0p-24)
    return (self / step).rounded(.toNearestOrEven) * step
  }
}
