package import Bench
internal import Diffing
internal import Organisms
package import Scoring
package import Transformers

/// The end of a game: what the pair was, and what a verdict on it earns.
package struct GameEndText {
  private let pair: Game.OpenedPair
  private let names: TokenNames

  package init(_ pair: Game.OpenedPair, _ tokenizer: any Tokenizer) {
    self.pair = pair
    names = TokenNames(tokenizer)
  }

  /// What was planted.
  package var truth: String {
    let trial = pair.trial
    let pairName = "It was \(trial.pair) on \(trial.seeds)"
    guard pair.truth.isPlanted else { return "\(pairName): nothing was planted." }
    let tokens = pair.truth.tokens.map { tokens in
      (tokens.sign > 0 ? " likelier: " : " less likely: ")
        + tokens.allTargets.map(names.word).joined(separator: " ")
    }
    let inputs = pair.truth.inputs.map { labels in
      "; \(labels.count { $0 }) of \(labels.count) prompts bring it out"
    }
    let sites = pair.truth.sites.map { "; in " + $0.map(\.description).joined(separator: ", ") }
    return Prose.wrapped(
      "\(pairName). Planted:\(tokens ?? " no token")\(inputs ?? "")\(sites ?? "").")
  }

  /// What a verdict earns, question by question.
  package func points(_ verdict: Verdict) -> String {
    let points = verdict.points(pair.truth)
    let parts = Question.allCases.compactMap { question in
      points[question].map { "\(question.rawValue) \($0)" }
    }
    let sum = points.values.reduce(0, +)
    return "\(sum) \(abs(sum) == 1 ? "point" : "points") (\(parts.joined(separator: ", ")))."
  }
}
