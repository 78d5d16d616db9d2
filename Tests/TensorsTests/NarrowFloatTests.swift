import Tensors
import Testing

@Suite("Floats of fewer bits")
struct NarrowFloatTests {
  private func bytes<Bits: FixedWidthInteger>(_ bits: [Bits]) -> [UInt8] {
    bits.flatMap { bits in
      (0..<Bits.bitWidth / 8).map { UInt8(truncatingIfNeeded: bits >> (8 * $0)) }
    }
  }

  @Test("every half is the number that IEEE says")
  func halves() {
    for bits in UInt16.min...UInt16.max {
      let exponent = Int(bits >> 10 & 0x1F), fraction = Float(bits & 0x3FF) / 1024
      let size: Float =
        exponent == 0
        ? fraction * 0x1.0p-14
        : exponent == 31
          ? (fraction == 0 ? .infinity : .nan)
          : (1 + fraction) * Float(sign: .plus, exponent: exponent - 15, significand: 1)
      let expected = bits & 0x8000 == 0 ? size : -size
      let found = Float(halfBits: bits)
      #expect(found == expected || found.isNaN && expected.isNaN)
      #expect(found.isNaN || found.roundedToHalf == found)
      #expect(found.isNaN || found.halfBits == bits)
    }
  }

  @Test("bytes of every width are read")
  func widths() {
    let values: [Float] = [1, -2.5, 0, 0x1.0p-140]
    #expect(NarrowFloats.singles.numbers(bytes(values.map(\.bitPattern)).span.bytes) == values)
    #expect(
      NarrowFloats.doubles.numbers(bytes(values.map { Double($0).bitPattern }).span.bytes) == values
    )
    #expect(
      NarrowFloats.brains.numbers(bytes([0x3F80, 0xC020, 0] as [UInt16]).span.bytes) == [
        1, -2.5, 0,
      ])
    #expect(
      NarrowFloats.halves.numbers(bytes([0x3C00, 0xC100] as [UInt16]).span.bytes) == [1, -2.5])
  }

  @Test("rounding finds the nearest, ties to the even one")
  func rounding() {
    #expect(Float(1 + 0x1.0p-8).roundedToBrain == 1)
    #expect(Float(1 + 0x1.8p-7).roundedToBrain == 1 + 0x1.0p-6)
    #expect(Float(-1.00391).roundedToBrain == -1.0078125)
    #expect(Float(1 + 0x1.0p-11).roundedToHalf == 1)
    #expect(Float(1 + 0x1.8p-10).roundedToHalf == 1 + 0x1.0p-9)
    #expect(Float(0x1.8p-24).roundedToHalf == 0x1.0p-23)
    #expect(Float(70_000).roundedToHalf == .infinity)
    // Half a step above the largest, 65504, the even one is infinity.
    #expect(Float(65_520).roundedToHalf == .infinity)
    #expect(Float(65_520).nextDown.roundedToHalf == 65_504)
  }
}
