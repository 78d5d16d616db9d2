/// The largest of many numbers that are not negative.
enum Selection {
  /// The value of which `count` numbers are at least as large, and as few more as ties bring; 0 if there are not so many
  /// above 0.
  ///
  /// Bits of floats that are not negative are ordered as the floats are, so the value is found by counting their upper
  /// and then their lower halves.
  static func least(ofLargest count: Int, of numbers: [Float]) -> Float {
    guard count > 0 else { return .infinity }
    var upper = [Int32](repeating: 0, count: 1 << 16)
    for number in numbers where number > 0 { upper[Int(number.bitPattern >> 16)] += 1 }
    guard let (high, above) = place(of: count, in: upper) else { return 0 }
    var lower = [Int32](repeating: 0, count: 1 << 16)
    for number in numbers where number > 0 && number.bitPattern >> 16 == UInt32(high) {
      lower[Int(number.bitPattern & 0xFFFF)] += 1
    }
    guard let (low, _) = place(of: count - above, in: lower) else { return 0 }
    return Float(bitPattern: UInt32(high) << 16 | UInt32(low))
  }

  /// From the top down the bin that holds the number of a rank, and how many are above it.
  private static func place(of rank: Int, in bins: [Int32]) -> (bin: Int, above: Int)? {
    var above = 0, bin = bins.count - 1
    while bin >= 0 {
      let here = Int(bins[bin])
      if above + here >= rank { return (bin, above) }
      above += here
      bin -= 1
    }
    return nil
  }
}
