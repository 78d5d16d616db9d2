/// The largest of many numbers that are not negative.
enum Selection {
  /// The value of which `count` numbers are at least as large, and as few more as ties bring; 0 if there are not so many
  /// above 0.
  ///
  /// Bits of floats that are not negative are ordered as the floats are, so the upper ones say in which of a few bins a
  /// number lies, an eighth of an octave each; only the bin that holds the value is sorted.
  static func least(ofLargest count: Int, of numbers: [Float]) -> Float {
    guard count > 0 else { return .infinity }
    var bins = [Int](repeating: 0, count: 1 << 11)
    for number in numbers where number > 0 { bins[bin(number)] += 1 }
    guard let (place, above) = place(of: count, in: bins) else { return 0 }
    var inside: [Float] = []
    inside.reserveCapacity(bins[place])
    for number in numbers where number > 0 && bin(number) == place { inside.append(number) }
    inside.sort(by: >)
    return inside[count - above - 1]
  }

  /// The exponent and the first three bits of the fraction.
  private static func bin(_ number: Float) -> Int { Int(number.bitPattern >> 20) }

  /// From the top down the bin that holds the number of a rank, and how many are above it.
  private static func place(of rank: Int, in bins: [Int]) -> (bin: Int, above: Int)? {
    var above = 0
    for bin in bins.indices.reversed() {
      guard above + bins[bin] < rank else { return (bin, above) }
      above += bins[bin]
    }
    return nil
  }
}
