package import Tensors

/// Two models' answers to the same prompts, compared as samples of two distributions.
///
/// The kernel of two answers is the share of their places that hold the same token; of each prompt the unbiased MMD² of
/// Gretton et al. (2012, equation 3) is taken, and their mean is the statistic (Gao et al., 2024, arXiv 2410.20247). If
/// the models answer alike, whose answer is whose says nothing: answers are exchanged among those of each prompt, and
/// the chance is the share of such draws that are as large, exact whatever the distributions.
package struct MaximumMeanDiscrepancy: Sendable {
  /// MMD² of each prompt, and their mean.
  package let byPrompt: [Double]
  package let statistic: Double
  /// How many draws are as large, and the chance of that if both models answer alike.
  package let larger: Int
  package let chance: Double

  /// Compares answers.
  ///
  /// - Parameters:
  ///   - base: Of each prompt one model's answers, drawn independently of the other's.
  ///   - finetuned: As many of the other's.
  ///   - permutations: Draws that the statistic is compared with.
  ///   - generator: Draws them.
  /// - Precondition: Of each prompt there are at least two answers of each model.
  package init(
    _ base: [[[Int]]], _ finetuned: [[[Int]]], permutations: Int,
    using generator: inout SeededGenerator
  ) {
    let kernels = zip(base, finetuned).map { Kernel($0 + $1) }
    let own = kernels.map { $0.discrepancy(Array(0..<$0.count)) }
    byPrompt = own
    statistic = own.mean
    var larger = 0
    for _ in 0..<permutations {
      let drawn = kernels.map { $0.discrepancy(generator.permutation($0.count)) }.mean
      // Sums of the same terms in another order differ by rounding.
      if drawn >= own.mean - 1e-12 { larger += 1 }
    }
    self.larger = larger
    chance = Double(1 + larger) / Double(1 + permutations)
  }
}

/// The kernel of all answers to a prompt: first those of one model, then as many of the other.
private struct Kernel {
  let count: Int
  private let values: [Double]

  init(_ answers: [[Int]]) {
    count = answers.count
    values = answers.flatMap { a in answers.map { Self.agreement(a, $0) } }
  }

  /// The share of places that hold the same token; where one answer has ended the other has not, they differ.
  private static func agreement(_ a: [Int], _ b: [Int]) -> Double {
    let longest = max(a.count, b.count)
    guard longest > 0 else { return 1 }
    return Double(zip(a, b).count { $0 == $1 }) / Double(longest)
  }

  /// MMD² if the first half of an order is one model's, without an answer's agreement with itself.
  func discrepancy(_ order: [Int]) -> Double {
    let half = count / 2
    let (first, second) = (order[..<half], order[half...])
    func mean(_ a: ArraySlice<Int>, _ b: ArraySlice<Int>, _ pairs: Int) -> Double {
      var sum = 0.0
      for i in a { for j in b where i != j { sum += values[i * count + j] } }
      return sum / Double(pairs)
    }
    let within = half * (half - 1)
    return mean(first, first, within) + mean(second, second, within)
      - 2 * mean(first, second, half * half)
  }
}
