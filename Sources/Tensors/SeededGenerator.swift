internal import Foundation

/// A reproducible random generator: xoshiro256** (Blackman & Vigna, 2018), seeded by SplitMix64.
public struct SeededGenerator: RandomNumberGenerator, Sendable {
  private var state: (UInt64, UInt64, UInt64, UInt64)

  /// Creates a generator; equal seeds give equal streams on every platform.
  public init(seed: UInt64) {
    var mixer = seed
    func splitMix() -> UInt64 {
      mixer &+= 0x9E37_79B9_7F4A_7C15
      var z = mixer
      z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
      z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
      return z ^ (z >> 31)
    }
    state = (splitMix(), splitMix(), splitMix(), splitMix())
  }

  /// Creates the generator of a named purpose, independent of every other name's.
  public init(seed: UInt64, for purpose: String) {
    // FNV-1a: `Hasher` is seeded anew by every process.
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for byte in purpose.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
    self.init(seed: seed ^ hash)
  }

  /// The next 64 random bits.
  public mutating func next() -> UInt64 {
    let result = rotate(state.1 &* 5, 7) &* 9
    let shifted = state.1 << 17
    state.2 ^= state.0
    state.3 ^= state.1
    state.1 ^= state.2
    state.0 ^= state.3
    state.2 ^= shifted
    state.3 = rotate(state.3, 45)
    return result
  }

  private func rotate(_ x: UInt64, _ by: UInt64) -> UInt64 { (x << by) | (x >> (64 - by)) }

  /// A number in [0, 1) with 53 random bits.
  public mutating func uniform() -> Double { Double(next() >> 11) * 0x1.0p-53 }

  /// A number in `0..<bound`.
  public mutating func index(below bound: Int) -> Int {
    precondition(bound > 0, "Cannot draw an index below \(bound)")
    return Int(next().multipliedFullWidth(by: UInt64(bound)).high)
  }

  /// A standard normal number (Box & Muller, 1958; the second of each pair is not used).
  public mutating func normal() -> Double {
    (-2 * log(1 - uniform())).squareRoot() * cos(2 * Double.pi * uniform())
  }

  /// An index drawn in proportion to `weights`.
  public mutating func index(weights: some Collection<Double>) -> Int {
    var rest = uniform() * weights.reduce(0, +)
    for (index, weight) in weights.enumerated() {
      rest -= weight
      if rest < 0 { return index }
    }
    return weights.count - 1
  }

  /// The indices `0..<count` in random order.
  public mutating func permutation(_ count: Int) -> [Int] {
    var order = Array(0..<count)
    for last in stride(from: count - 1, to: 0, by: -1) {
      order.swapAt(last, index(below: last + 1))
    }
    return order
  }

  /// A random direction, shaped `[count]`, of length `norm`.
  public mutating func direction(_ count: Int, norm: Float = 1) -> Tensor {
    let raw = Tensor((0..<count).map { _ in Float(normal()) })
    return raw.scaled(by: norm / max(raw.norm, .leastNormalMagnitude))
  }
}

extension Matrix {
  /// A column of each row at a share of the row's sum, columns added up from the first.
  ///
  /// - Parameter shares: One a row, from 0 to below 1.
  package func columns(at shares: [Double]) -> [Int] {
    precondition(shares.count == rows, "One share a row is needed")
    return (0..<rows).map { row in
      let scalars = UnsafeBufferPointer(start: start + row * stride, count: columns)
      var sum = 0.0
      for scalar in scalars { sum += Double(scalar) }
      var rest = shares[row] * sum
      for (column, scalar) in scalars.enumerated() {
        rest -= Double(scalar)
        if rest < 0 { return column }
      }
      return columns - 1
    }
  }
}
