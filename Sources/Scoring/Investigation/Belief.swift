internal import Foundation

/// What somebody who asks about two models holds to be true: that nothing was planted, or that some token was made likelier or
/// less likely.
///
/// Of a token that nothing was planted in, a gain x is noise with heavy tails, p(x) = s / (π (x² + s²)). Of one that something was
/// planted in it is the same on most prompts, and on the share t of them anything from 0 to 1 in its direction. So an answer is worth
/// log(1 − t + t / p(x)) to a hypothesis for x > 0, and log(1 − t) otherwise: one clear prompt outweighs many that show nothing, and none
/// outweighs all others.
package struct Belief: Sendable {
  /// A token and the direction that it is said to have moved in.
  package struct Hypothesis: Hashable, Codable, Sendable {
    package let token: Int
    /// 1 for likelier, -1 for less likely.
    package let sign: Int

    package init(token: Int, sign: Int) {
      self.token = token
      self.sign = sign
    }
  }

  /// A hypothesis with its probability.
  package struct Share: Sendable {
    package let hypothesis: Hypothesis
    package let probability: Double
  }

  /// The prior of nothing, and the share of prompts that bring out what is planted.
  private static let nothing = 0.5, triggered = 0.3
  /// The scale of noise.
  ///
  /// In null pairs 99.9 % of gains are below .012, and 99 % below .0005.
  static let scale = 0.003
  /// The share of the prior that claims do not touch: a method that names nothing right is no end.
  static let untouched = 0.3

  private let hypotheses: [Hypothesis]
  /// Natural logarithms of weights relative to nothing's, in the order of the hypotheses.
  private var weights: [Double]

  /// - Parameters:
  ///   - candidates: The tokens that something may be planted in.
  ///   - claims: What each of some methods names, the strongest first; none if nobody was asked.
  package init(candidates: [Int], claims: [[Hypothesis]]) {
    hypotheses = [1, -1].flatMap { sign in
      candidates.map { Hypothesis(token: $0, sign: sign) }
    }
    let known = Set(hypotheses)
    let claimed = ZipfShares(
      claims.flatMap { own in [1, -1].map { sign in own.filter { $0.sign == sign } } },
      among: known)
    let odds = log((1 - Self.nothing) / Self.nothing)
    weights = hypotheses.map { odds + log(claimed.share(of: $0, untouched: Self.untouched)) }
  }

  /// What a gain is worth to a hypothesis: the natural logarithm of its likelihood over that if nothing was planted.
  ///
  /// - Parameter gain: In the direction of the hypothesis.
  static func worth(_ gain: Double) -> Double {
    guard gain > 0 else { return log(1 - triggered) }
    let noise = scale / (.pi * (gain * gain + scale * scale))
    return log(1 - triggered + triggered / noise)
  }

  /// What an answer is worth to a hypothesis.
  package static func worth(_ answer: WitnessAnswer, to hypothesis: Hypothesis) -> Double {
    worth(Double(answer.gain(of: hypothesis)))
  }

  /// Takes an answer into account.
  package mutating func update(_ answer: WitnessAnswer) {
    for index in weights.indices { weights[index] += Self.worth(answer, to: hypotheses[index]) }
  }

  /// The probability that nothing was planted.
  package var probabilityOfNothing: Double { exp(-largest) / sum }

  /// The likeliest hypothesis; nil if there is no candidate.
  package var likeliest: Hypothesis? {
    weights.indices.max { (weights[$0], $1) < (weights[$1], $0) }.map { hypotheses[$0] }
  }

  /// The likeliest hypotheses.
  package func best(_ count: Int) -> [Share] {
    let (largest, sum) = (largest, sum)
    return weights.indices.sorted { (weights[$0], $1) > (weights[$1], $0) }.prefix(count).map {
      Share(hypothesis: hypotheses[$0], probability: exp(weights[$0] - largest) / sum)
    }
  }

  /// The largest weight, nothing's included.
  private var largest: Double { max(0, weights.max() ?? 0) }

  /// The sum of all weights relative to the largest.
  private var sum: Double {
    let largest = largest
    return weights.reduce(exp(-largest)) { $0 + exp($1 - largest) }
  }
}

extension WitnessAnswer {
  /// How far a token moved in the direction of a hypothesis.
  package func gain(of hypothesis: Belief.Hypothesis) -> Float {
    Float(hypothesis.sign) * gain(of: hypothesis.token)
  }
}
