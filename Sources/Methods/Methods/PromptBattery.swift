package import Diffing
package import Tensors
internal import Transformers

/// The black box asked a fixed list of questions, to see which words it answers more often than before.
///
/// Both models answer the same prompts with the same random numbers. A word counts by the log-odds of its
/// frequency; how many words differ at a false-discovery rate says whether anything did. Prompts are
/// ranked by how many of the answers hold such words.
package struct PromptBattery: AnswerMethod {
  package static let card = MethodCard(
    id: "prompt-battery",
    summary: "Sampled answers to a fixed list of prompts, compared word by word with FDR control.",
    source: "AuditBench, 2026 (arXiv 2602.22755); Benjamini & Hochberg, 1995",
    questions: [.whether, .what, .when], access: [.pool],
    magnitude: Magnitude(
      "words that differ at the false-discovery rate, plus e / (1 + e) with e the mean squared z",
      unit: "words"))

  /// Prompts, taken evenly from the pool.
  package var promptCount = 128
  /// Answers of each model to each prompt.
  package var answers = 4
  /// Tokens of an answer.
  package var length = 3
  /// The rate of false discoveries.
  package var rate = 0.05

  package init() {}

  package var plan: AnswerPlan {
    AnswerPlan(prompts: promptCount, answers: answers, length: length)
  }

  package func diff(
    _ pair: ModelPair, on prompts: PromptSet, using generator: inout SeededGenerator
  ) throws -> Evidence {
    let rows = plan.rows(of: prompts.text.rows), asked = rows.map { Array(prompts.text.row($0)) }
    let seed = generator.next()
    func said(_ side: ModelPair.Side) -> [[[Int]]] {
      plan.answers(of: pair, side, to: asked, seed: seed)
    }
    let (base, finetuned) = (said(.base), said(.finetuned))
    guard PairedSamples.differ(finetuned.flatMap(\.self), base.flatMap(\.self)) else {
      return Evidence()
    }
    var evidence = evidence(
      of: PairedAnswers(of: pair, prompts, rows: rows, base: base, finetuned: finetuned),
      using: &generator)
    evidence.exhibits = pair.exhibits(evidence.exhibits)
    return evidence
  }

  package func evidence(of answers: PairedAnswers, using generator: inout SeededGenerator)
    -> Evidence
  {
    let counts = [answers.base, answers.finetuned].map {
      TokenCounts($0.flatMap(\.self), vocabulary: answers.vocabulary)
    }
    let scores = counts[1].zScores(against: counts[0])
    guard scores.contains(where: { $0 != 0 }) else { return Evidence() }
    let found = Significance.discoveries(scores.map(Significance.normalTail), rate: rate)
    var evidence = Evidence()
    // The number of discoveries first, and among equals how far the rest is from chance.
    let excess = scores.map { Double($0) * Double($0) }.mean
    evidence.magnitude = Double(found.count) + excess / (1 + excess)
    evidence.tokens = TokenClaim.ranking(scores, excluding: answers.specialTokens)
    let hits = zip(answers.base, answers.finetuned).map {
      said(in: $1, scores) - said(in: $0, scores)
    }
    evidence.inputs = InputClaim.ranking(hits, rows: answers.rows)
    evidence.exhibits = [
      Exhibit(
        "Words answered more or less often, at a false-discovery rate of \(rate)",
        .table(
          columns: ["token", "base", "finetuned", "z"],
          rows: found.map {
            [
              .token($0), .count(counts[0].counts[$0]), .count(counts[1].counts[$0]),
              .number(scores[$0]),
            ]
          }))
    ]
    return evidence
  }

  /// How much of what is said more often some answers hold.
  private func said(in answers: [[Int]], _ scores: [Float]) -> Float {
    answers.reduce(0) { $0 + $1.reduce(0) { $0 + max(0, scores[$1]) } }
  }
}
