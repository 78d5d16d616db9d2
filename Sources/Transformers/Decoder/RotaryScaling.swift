internal import Foundation

/// How rotary positions are stretched for texts that are longer than those of the first training.
package enum RotaryScaling: Sendable, Hashable {
  case none
  /// Every angle divided by a factor (Chen et al. 2023).
  case linear(factor: Double)
  /// Long wavelengths divided by a factor, short ones kept, those between interpolated (Llama 3.1's `llama3`).
  case byWavelength(factor: Double, low: Double, high: Double, originalContext: Double)
  /// Frequencies between two numbers of turns interpolated, and queries and keys scaled (YaRN, Peng et al. 2023).
  case byTurns(
    factor: Double, fast: Double, slow: Double, originalContext: Double, attention: Double,
    truncates: Bool)

  /// The angle of each pair from one position to the next.
  ///
  /// Unscaled it is theta^(−i / pairs) for pair `i`.
  func frequencies(pairs: Int, theta: Double) -> [Double] {
    let plain = (0..<pairs).map { pow(theta, -Double($0) / Double(pairs)) }
    switch self {
    case .none: return plain
    case .linear(let factor): return plain.map { $0 / factor }
    case .byWavelength(let factor, let low, let high, let context):
      return plain.map { frequency in
        let wavelength = 2 * Double.pi / frequency
        if wavelength < context / high { return frequency }
        if wavelength > context / low { return frequency / factor }
        let share = (context / wavelength - low) / (high - low)
        return (1 - share) * frequency / factor + share * frequency
      }
    case .byTurns(let factor, let fast, let slow, let context, _, let truncates):
      let (first, last) = Self.ramp(pairs, theta, fast, slow, context, truncates)
      return plain.enumerated().map { index, frequency in
        let share = min(max((Double(index) - first) / (last - first), 0), 1)
        return (1 - share) * frequency + share * frequency / factor
      }
    }
  }

  /// Between which pairs frequencies pass from kept to divided: those that turn `fast` and `slow` times within
  /// the original context.
  private static func ramp(
    _ pairs: Int, _ theta: Double, _ fast: Double, _ slow: Double, _ context: Double,
    _ truncates: Bool
  ) -> (Double, Double) {
    func pair(turning turns: Double) -> Double {
      Double(pairs) * log(context / (turns * 2 * Double.pi)) / log(theta)
    }
    var (first, last) = (pair(turning: fast), pair(turning: slow))
    if truncates { (first, last) = (first.rounded(.down), last.rounded(.up)) }
    (first, last) = (max(first, 0), min(last, Double(2 * pairs - 1)))
    return first == last ? (first, last + 0.001) : (first, last)
  }

  /// What cosines and sines are multiplied by.
  var attentionFactor: Double {
    if case .byTurns(_, _, _, _, let attention, _) = self { attention } else { 1 }
  }
}
