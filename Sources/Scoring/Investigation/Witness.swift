package import Transformers

/// A question that an investigator may put to two models: one prompt to both of them.
package enum WitnessQuestion: Hashable, Codable, Sendable {
  /// What does each expect next?
  case next(row: Int)
  /// What does each say, if asked some times?
  case say(row: Int)
  /// What does the base expect next if one of its modules has the finetuned weights?
  case exchange(row: Int, module: ModuleSite)

  /// The prompt that is asked.
  package var row: Int {
    switch self {
    case .next(let row), .say(let row), .exchange(let row, _): row
    }
  }
}

extension WitnessQuestion {
  /// The module that is exchanged; nil where none is.
  package var module: ModuleSite? {
    if case .exchange(_, let module) = self { module } else { nil }
  }
}

/// What two models answer: how likely each finds every token.
package struct WitnessAnswer: Sendable {
  /// The probability of each token, or the share of what was said that holds it.
  package let base, finetuned: [Float]
  /// What each said, as tokens; empty unless they were asked to say something.
  package let sayings: (base: [[Int]], finetuned: [[Int]])

  package init(
    base: [Float], finetuned: [Float], sayings: (base: [[Int]], finetuned: [[Int]]) = ([], [])
  ) {
    self.base = base
    self.finetuned = finetuned
    self.sayings = sayings
  }

  /// How much likelier the finetuned model finds a token, as a difference of probabilities.
  ///
  /// Not of their logarithms: what drifts everywhere moves the logarithms of the unlikeliest tokens most, and after some dozens of
  /// questions outweighs everything else.
  package func gain(of token: Int) -> Float { finetuned[token] - base[token] }
}

/// Two models that answer questions, and know nothing of what was planted.
package protocol Witness {
  /// The prompts that can be asked, as tokens.
  var prompts: [[Int]] { get }
  /// Tokens that something may be planted in.
  var candidates: [Int] { get }
  /// Modules that something may be planted in.
  var modules: [ModuleSite] { get }

  func answer(_ question: WitnessQuestion) throws -> WitnessAnswer
}
