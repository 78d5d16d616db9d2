/// Little-endian floats of some width as 32-bit floats.
///
/// Loops of their own for each width: files are read through them, at the speed of a disk.
package enum NarrowFloats: Sendable {
  /// IEEE singles.
  case singles
  /// IEEE doubles, rounded.
  case doubles
  /// Singles without their lower half.
  case brains
  /// IEEE halves.
  case halves

  /// Bytes of a number.
  package var width: Int {
    switch self {
    case .singles: 4
    case .doubles: 8
    case .brains, .halves: 2
    }
  }

  /// Writes the numbers that bytes mean.
  ///
  /// - Precondition: The window is as many numbers in one piece of memory.
  package func write(_ bytes: RawSpan, into window: Matrix) {
    precondition(
      window.isContiguous && bytes.byteCount == window.count * width,
      "\(bytes.byteCount) bytes are not \(window.count) numbers of \(width)")
    bytes.withUnsafeBytes { source in
      let target = window.start, count = window.count
      switch self {
      case .singles: Self.widen(source, target, count) { Float(bitPattern: $0) }
      case .doubles: Self.widen(source, target, count) { Float(Double(bitPattern: $0)) }
      case .brains:
        Self.widen(source, target, count) { (bits: UInt16) in
          Float(bitPattern: UInt32(bits) << 16)
        }
      case .halves: Self.widen(source, target, count) { Float(halfBits: $0) }
      }
    }
  }

  @inline(__always)
  private static func widen<Bits: FixedWidthInteger & BitwiseCopyable>(
    _ source: UnsafeRawBufferPointer, _ target: UnsafeMutablePointer<Float>, _ count: Int,
    _ float: (Bits) -> Float
  ) {
    guard let start = source.baseAddress else { return }
    for index in 0..<count {
      let bits = start.loadUnaligned(
        fromByteOffset: index * MemoryLayout<Bits>.size, as: Bits.self)
      target[index] = float(Bits(littleEndian: bits))
    }
  }

  /// The numbers that bytes mean.
  package func numbers(_ bytes: RawSpan) -> [Float] {
    Tensor(rows: 1, columns: bytes.byteCount / width) { write(bytes, into: $0) }.scalars
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

  /// The bits of an IEEE half.
  ///
  /// - Precondition: The number is one, as `roundedToHalf` gives it.
  package var halfBits: UInt16 {
    let sign = UInt16(truncatingIfNeeded: bitPattern >> 16) & 0x8000
    guard isFinite else { return sign | 0x7C00 }
    guard magnitude >= 0x1.0p-14 else { return sign | UInt16(magnitude * 0x1.0p24) }
    // The exponent's bias is 15, that of a single 127.
    return sign | UInt16((bitPattern & 0x7FFF_FFFF) >> 13 &- 112 << 10)
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
